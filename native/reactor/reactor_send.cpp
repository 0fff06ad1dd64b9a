// The way out: replies, queues of what a socket did not take, and the ends of connections.
#include "reactor.h"

#include <sys/socket.h>
#include <sys/uio.h>

namespace stillframe {

/** Sends rows of `sends`; neighbouring rows that continue each other go in one call. */
bool Reactor::sendReplies(size_t sendCount) {
  if (!epoll_.isOpen()) return true;
  if (sendCount > kSendsMax) return false;
  const int32_t* row = buffers_.sends;
  const int32_t* const end = row + sendCount * kSendFields;
  while (row < end) {
    const int32_t id = row[0];
    const uint64_t offset = static_cast<uint32_t>(row[1]);
    uint64_t length = static_cast<uint32_t>(row[2]);
    row += kSendFields;
    while (row < end && row[0] == id && static_cast<uint32_t>(row[1]) == offset + length) {
      length += static_cast<uint32_t>(row[2]);
      row += kSendFields;
    }
    if (offset + length > buffers_.outputBytes) return false;
    Connection* connection = table_.live(id);
    if (connection != nullptr) sendNow(*connection, buffers_.output + offset, length);
  }
  return true;
}

void Reactor::send(int64_t id, const uint8_t* bytes, size_t length) {
  Connection* connection = table_.live(id);
  if (connection == nullptr) return;
  sendNow(*connection, bytes, length);
  wakeIfPending();
}

void Reactor::sendNow(Connection& connection, const uint8_t* bytes, size_t length) {
  if (length == 0) return;
  if (!connection.queue.isEmpty()) return queueOutput(connection, bytes, length);
  ssize_t sent;
  do {
    sent = ::send(connection.fd, bytes, length, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    // EFAULT: the bytes lie in memory that only user code can make present (a lazily restored
    // arena); copying them is such user code.
    if (errno != EAGAIN && errno != EFAULT) {
      finish(connection, errno);
      return tellLater(connection);
    }
    sent = 0;
  }
  counters_.bytesOut += static_cast<uint64_t>(sent);
  const size_t taken = static_cast<size_t>(sent);
  if (taken < length) queueOutput(connection, bytes + taken, length - taken);
}

void Reactor::queueOutput(Connection& connection, const uint8_t* bytes, size_t length) {
  const uint64_t before = connection.queue.bytes();
  const bool appended = connection.queue.append(chunks_, bytes, length);
  queuedBytesTotal_ += connection.queue.bytes() - before;
  if (!appended) {
    finish(connection, ENOMEM);
    return tellLater(connection);
  }
  if (before == 0) setInterest(connection);
}

/** One sendmsg() of queued bytes in a batch. False when the connection ended. */
bool Reactor::flushQueue(Connection& connection) {
  iovec vectors[kFlushVectorsMax];
  msghdr message = {};
  message.msg_iov = vectors;
  message.msg_iovlen = static_cast<size_t>(connection.queue.fill(vectors, kFlushVectorsMax));
  ssize_t sent;
  do {
    sent = sendmsg(connection.fd, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    if (errno == EAGAIN) return true;
    finishInBatch(connection, errno);
    return false;
  }
  connection.queue.consume(chunks_, static_cast<size_t>(sent));
  queuedBytesTotal_ -= static_cast<uint64_t>(sent);
  counters_.bytesOut += static_cast<uint64_t>(sent);
  if (!connection.queue.isEmpty()) return true;
  if (connection.closing || connection.peerFinished) {
    if (connection.closing) discardInput(connection);
    finishInBatch(connection, 0);
    return false;
  }
  addEvent(connection.id, kEventDrained, 0, 0);
  setInterest(connection);
  return connection.isLive();
}

/** Tells epoll what the connection waits for. The connection may end when the kernel refuses. */
void Reactor::setInterest(Connection& connection) {
  const uint32_t interest = (connection.wantsInput() ? uint32_t{EPOLLIN} : 0u) |
                            (connection.queue.isEmpty() ? 0u : uint32_t{EPOLLOUT});
  int operation = EPOLL_CTL_MOD;
  if (connection.detached) {
    if (!connection.wantsInput()) return;
    operation = EPOLL_CTL_ADD;
  } else if (interest == connection.interest) {
    return;
  }
  epoll_event event = {interest, {}};
  event.data.u64 = ConnectionTable::tokenOf(connection);
  if (epoll_ctl(epoll_.get(), operation, connection.fd, &event) != 0) {
    finish(connection, errno);
    return tellLater(connection);
  }
  connection.interest = interest;
  connection.detached = false;
}

/** The peer hung up while its input is not wanted: out of epoll until it is. */
void Reactor::detach(Connection& connection) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.fd, nullptr);
  connection.detached = true;
  connection.interest = 0;
}

/** Ends the connection now; the id stays taken until its end was told. */
void Reactor::finish(Connection& connection, int error) {
  queuedBytesTotal_ -= connection.queue.bytes();
  connection.queue.clear(chunks_);
  ::close(connection.fd);  // leaves epoll by itself: no duplicate of the descriptor exists
  connection.fd = -1;
  connection.closeError = error;
}

/** As finish(), told in this turn unless it stands in line to be told already. */
void Reactor::finishInBatch(Connection& connection, int error) {
  finish(connection, error);
  if (!connection.pending) tellClosed(connection);
}

void Reactor::tellClosed(const Connection& connection) {
  addEvent(connection.id, kEventClosed, connection.closeError, 0);
  told_.push_back(connection.id);
}

void Reactor::tellLater(Connection& connection) {
  if (connection.pending) return;
  connection.pending = true;
  pending_.push_back(connection.id);
}

/** Before a close that the peer did not ask for: unread input would make the kernel send RST, and
 *  the peer could lose the last reply. TCP drops it without copying (tcp(7), MSG_TRUNC). */
void Reactor::discardInput(const Connection& connection) const {
  constexpr size_t kDiscardBytesMax = 1 << 20;
  if (table_.peerOf(connection.id).any.sa_family == AF_UNIX) return;
  recv(connection.fd, nullptr, kDiscardBytesMax, MSG_TRUNC | MSG_DONTWAIT);
}

int Reactor::takeSocketError(int fd) {
  int error = 0;
  socklen_t length = sizeof(error);
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

}  // namespace stillframe

// The turn: what is told, in which order, and how one batch of ready sockets is served.
#include "reactor.h"

#include <algorithm>
#include <ctime>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "tokens.h"

namespace stillframe {

namespace {

int64_t monotonicNanos() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::unique_ptr<Reactor> Reactor::open(const ReactorBuffers& buffers, size_t readBytesMax,
                                       SystemFailure* failure) {
  std::unique_ptr<Reactor> reactor(new Reactor(buffers, readBytesMax));
  return reactor->openDescriptors(failure) ? std::move(reactor) : nullptr;
}

bool Reactor::openDescriptors(SystemFailure* failure) {
  epoll_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.isOpen()) return *failure = SystemFailure::of("epoll_create1"), false;
  wake_ = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_.isOpen()) return *failure = SystemFailure::of("eventfd"), false;
  acceptRetry_ = Descriptor(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!acceptRetry_.isOpen()) return *failure = SystemFailure::of("timerfd_create"), false;
  reserve_ = Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!reserve_.isOpen()) return *failure = SystemFailure::of("open /dev/null"), false;

  epoll_event wake = {EPOLLIN, {}};
  wake.data.u64 = kWakeToken;
  epoll_event retry = {EPOLLIN, {}};
  retry.data.u64 = kAcceptRetryToken;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &wake) != 0 ||
      epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, acceptRetry_.get(), &retry) != 0) {
    return *failure = SystemFailure::of("epoll_ctl"), false;
  }
  return true;
}

int Reactor::turn(size_t sendCount) {
  if (!epoll_.isOpen()) return 0;
  eventCount_ = 0;
  inputUsed_ = 0;
  acceptsLeft_ = kAcceptsPerTurnMax;
  readablesLeft_ = kReadablesPerTurnMax;
  if (!sendReplies(sendCount)) return kBadSend;
  if (!told_.empty()) releaseTold();
  if (!pending_.empty()) tellPending();
  spin_.note(sendCount, buffers_.sends[0]);
  serveBatch(sendCount > 0);
  wakeIfPending();
  return static_cast<int>(eventCount_);
}

/** The ends told by the last turn were handled by now: their ids are free. */
void Reactor::releaseTold() {
  for (const uint32_t id : told_) table_.release(id);
  told_.clear();
}

void Reactor::tellPending() {
  const size_t count = std::min(pending_.size(), kPendingPerTurnMax);
  for (size_t index = 0; index < count; index++) {
    Connection& connection = table_.at(pending_[index]);
    connection.pending = false;
    if (connection.isLive()) {
      // closeAfterSend(): replies written before it have been sent or queued by now.
      if (!connection.queue.isEmpty()) continue;
      discardInput(connection);
      finish(connection, 0);
    }
    tellClosed(connection);
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(count));
}

void Reactor::takeBatch() {
  batchNext_ = 0;
  batchCount_ = std::max(0, epoll_wait(epoll_.get(), batch_.data(), kBatchMax, 0));
}

/** Nothing is to be done but to wait for the next requests of clients that just got replies: asks
 *  epoll for a moment more rather than sleep at once, where that has paid lately. */
void Reactor::spinForBatch() {
  if (!spin_.allows()) return;
  const int64_t end = monotonicNanos() + SpinBudget::kSpinNanos;
  do {
    takeBatch();
  } while (batchCount_ == 0 && monotonicNanos() < end);
  if (batchCount_ > 0) {
    spin_.hit();
  } else {
    spin_.miss();
  }
}

void Reactor::serveBatch(bool hasReplied) {
  if (batchNext_ == batchCount_) {
    takeBatch();
    if (batchCount_ == 0 && eventCount_ == 0 && insideLoop_ && hasReplied) spinForBatch();
  }
  const size_t readBytesMin = std::min(readBytesMax_, kReadBytesMin);
  while (batchNext_ < batchCount_ && buffers_.inputBytes - inputUsed_ >= readBytesMin &&
         readablesLeft_ > 0) {
    const epoll_event& event = batch_[batchNext_++];
    serveToken(event.data.u64, event.events);
  }
}

void Reactor::serveToken(uint64_t token, uint32_t ready) {
  if ((token & kSpecialBit) == 0) {
    Connection* connection = table_.liveByToken(token);
    if (connection != nullptr) serveConnection(*connection, ready);
  } else if (token == kWakeToken) {
    takeWake();
  } else if (token == kAcceptRetryToken) {
    resumeAccepting();
  } else {
    acceptFrom(static_cast<int>(token & ~kSpecialBit));
  }
}

void Reactor::serveConnection(Connection& connection, uint32_t ready) {
  constexpr uint32_t kBroken = EPOLLERR | EPOLLHUP;
  if ((ready & (EPOLLOUT | kBroken)) != 0 && !connection.queue.isEmpty()) {
    if (!flushQueue(connection)) return;
  }
  if (connection.wantsInput()) {
    if (connection.leftInSocket > 0 && (ready & (EPOLLIN | kBroken)) == EPOLLIN) {
      addEvent(connection.id, kEventReadable, 0, 0);
      readablesLeft_--;
    } else if ((ready & (EPOLLIN | kBroken)) != 0) {
      readInput(connection, ready);
    }
  } else if ((ready & EPOLLERR) != 0) {
    finishInBatch(connection, takeSocketError(connection.fd));
  } else if ((ready & EPOLLHUP) != 0) {
    detach(connection);
  }
}

ssize_t Reactor::receiveFrom(Connection& connection, uint8_t* target, size_t length) {
  ssize_t received;
  do {
    received = recv(connection.fd, target, length, 0);
  } while (received < 0 && errno == EINTR);
  if (received <= 0) return received;
  counters_.bytesIn += static_cast<uint64_t>(received);
  connection.leftInSocket -= static_cast<uint32_t>(
      std::min(static_cast<size_t>(received), size_t{connection.leftInSocket}));
  return received;
}

void Reactor::readInput(Connection& connection, uint32_t ready) {
  const size_t space = std::min(readBytesMax_, buffers_.inputBytes - inputUsed_);
  const ssize_t received = receiveFrom(connection, buffers_.input + inputUsed_, space);
  if (received > 0) {
    addEvent(connection.id, kEventData, static_cast<int32_t>(inputUsed_),
             static_cast<int32_t>(received));
    inputUsed_ += static_cast<size_t>(received);
  } else if (received == 0) {
    connection.peerFinished = true;
    // A peer that only finished sending still gets what is queued for it.
    if (connection.queue.isEmpty()) {
      finishInBatch(connection, 0);
    } else {
      setInterest(connection);
    }
  } else if (errno != EAGAIN) {
    finishInBatch(connection, errno);
  } else if ((ready & EPOLLERR) != 0) {
    const int error = takeSocketError(connection.fd);
    if (error != 0) finishInBatch(connection, error);
  }
}

void Reactor::addEvent(uint32_t id, int32_t kind, int32_t first, int32_t second) {
  int32_t* row = buffers_.events + eventCount_ * kEventFields;
  row[0] = static_cast<int32_t>(id);
  row[1] = kind;
  row[2] = first;
  row[3] = second;
  eventCount_++;
}

void Reactor::leaveLoop() {
  insideLoop_ = false;
  wakeIfPending();
}

/** Makes the epoll descriptor readable for what the kernel cannot know. */
void Reactor::wakeIfPending() {
  if (pending_.empty() || insideLoop_ || wakeArmed_) return;
  const uint64_t one = 1;
  wakeArmed_ = write(wake_.get(), &one, sizeof(one)) == sizeof(one);
}

void Reactor::takeWake() {
  uint64_t count;
  if (read(wake_.get(), &count, sizeof(count)) == sizeof(count)) wakeArmed_ = false;
}

uint64_t Reactor::queuedBytes(int64_t id) {
  const Connection* connection = table_.live(id);
  return connection == nullptr ? 0 : connection->queue.bytes();
}

void Reactor::setReading(int64_t id, bool reading) {
  Connection* connection = table_.live(id);
  if (connection == nullptr || connection->reading == reading) return;
  connection->reading = reading;
  setInterest(*connection);
  wakeIfPending();
}

void Reactor::leaveInSocket(int64_t id, uint32_t bytes) {
  Connection* connection = table_.live(id);
  if (connection != nullptr) connection->leftInSocket = bytes;
}

size_t Reactor::receive(int64_t id, uint8_t* target, size_t length) {
  Connection* connection = table_.live(id);
  if (connection == nullptr || !connection->wantsInput()) return 0;
  length = std::min(length, size_t{connection->leftInSocket});
  if (length == 0) return 0;  // recv() of nothing would look like the end of the stream
  const ssize_t received = receiveFrom(*connection, target, length);
  if (received > 0) return static_cast<size_t>(received);
  if (received < 0 && errno == EAGAIN) return 0;
  connection->peerFinished = received == 0;
  if (connection->peerFinished && !connection->queue.isEmpty()) {
    setInterest(*connection);  // as in readInput()
  } else {
    finish(*connection, received == 0 ? 0 : errno);
    tellLater(*connection);
  }
  wakeIfPending();
  return 0;
}

void Reactor::closeAfterSend(int64_t id) {
  Connection* connection = table_.live(id);
  if (connection == nullptr || connection->closing) return;
  connection->closing = true;
  setInterest(*connection);
  tellLater(*connection);
  wakeIfPending();
}

void Reactor::close(int64_t id) {
  Connection* connection = table_.live(id);
  if (connection == nullptr) return;
  finish(*connection, 0);
  tellLater(*connection);
  wakeIfPending();
}

void Reactor::setKeepAlive(int64_t id, int seconds) {
  const Connection* connection = table_.live(id);
  if (connection == nullptr || table_.peerOf(connection->id).any.sa_family == AF_UNIX) return;
  const int fd = connection->fd;
  const int on = seconds > 0 ? 1 : 0;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  if (on == 0) return;
  // Three probes, a third of the time apart: a dead peer is found after twice the time.
  const int idle = std::min(seconds, 32767);
  const int interval = std::max(1, idle / 3);
  const int probes = 3;
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

ConnectionDescription Reactor::describe(int64_t id) {
  const Connection* connection = table_.find(id);
  if (connection == nullptr) return {};
  const Listener& listener = listeners_[static_cast<size_t>(connection->listener)];
  ConnectionDescription description;
  description.fd = connection->fd;
  if (listener.isUnix()) {
    description.address = listener.path + ":0";
    description.localAddress = description.address;
  } else {
    description.address = formatAddress(table_.peerOf(connection->id));
    if (connection->isLive()) description.localAddress = formatLocalAddress(connection->fd);
  }
  return description;
}

void Reactor::shutdown() {
  if (!epoll_.isOpen()) return;
  for (uint32_t id = 0; id < table_.idLimit(); id++) {
    if (table_.at(id).isLive()) finish(table_.at(id), 0);
  }
  for (Listener& listener : listeners_) listener.close();
  chunks_.trim();
  pending_.clear();
  told_.clear();
  batchNext_ = batchCount_ = 0;
  reserve_.close();
  acceptRetry_.close();
  wake_.close();
  epoll_.close();
}

}  // namespace stillframe

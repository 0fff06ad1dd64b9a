// The way in: listeners, accepting, and what happens when descriptors run out.
#include "reactor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "tokens.h"

namespace stillframe {

int Reactor::listenTcp(const std::string& host, int port, int backlog, int* boundPort,
                       SystemFailure* failure) {
  Listener listener;
  *failure = openTcpListener(host, port, backlog, &listener);
  if (failure->failed()) return -1;
  *boundPort = listener.port;
  return addListener(std::move(listener), failure);
}

int Reactor::listenUnix(const std::string& path, int mode, int backlog, SystemFailure* failure) {
  Listener listener;
  *failure = openUnixListener(path, mode, backlog, &listener);
  if (failure->failed()) return -1;
  return addListener(std::move(listener), failure);
}

/** Numbers are not used again: connections refer to the listener they came from. */
int Reactor::addListener(Listener&& listener, SystemFailure* failure) {
  const int number = static_cast<int>(listeners_.size());
  epoll_event event = {acceptingSuspended_ ? 0u : uint32_t{EPOLLIN}, {}};
  event.data.u64 = listenerToken(number);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener.socket.get(), &event) != 0) {
    *failure = SystemFailure::of("epoll_ctl");
    listener.close();
    return -1;
  }
  listeners_.push_back(std::move(listener));
  return number;
}

void Reactor::closeListener(int listener) {
  if (static_cast<size_t>(listener) < listeners_.size()) {
    listeners_[static_cast<size_t>(listener)].close();
  }
}

void Reactor::acceptFrom(int listener) {
  const int listenFd = listeners_[static_cast<size_t>(listener)].socket.get();
  while (listenFd >= 0 && acceptsLeft_ > 0) {
    acceptsLeft_--;
    sockaddr_storage storage;
    socklen_t length = sizeof(storage);
    const int fd = accept4(listenFd, reinterpret_cast<sockaddr*>(&storage), &length,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      PeerAddress peer = {};
      std::memcpy(&peer, &storage, sizeof(peer));
      admit(fd, listener, peer);
      continue;
    }
    switch (errno) {
      case EAGAIN:
        return;
      case EMFILE:
      case ENFILE:
        if (!refuseOne(listenFd)) return;
        break;
      case ENOBUFS:
      case ENOMEM:
      case EINVAL:
      case EBADF:
        counters_.acceptErrors++;
        return suspendAccepting();
      default:
        // accept(2): errors of the waiting connection itself (ECONNABORTED, EPROTO, ENETDOWN, ...)
        // are reported here and take it off the backlog, so the next try meets the next one.
        counters_.acceptErrors++;
    }
  }
}

void Reactor::admit(int fd, int listener, const PeerAddress& peer) {
  Connection& connection = table_.claim(fd, listener, peer);
  epoll_event event = {EPOLLIN, {}};
  event.data.u64 = ConnectionTable::tokenOf(connection);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    // No memory, or /proc/sys/fs/epoll/max_user_watches. Nobody was told of it yet.
    counters_.acceptErrors++;
    finish(connection, errno);
    table_.release(connection.id);
    return;
  }
  connection.interest = EPOLLIN;
  counters_.accepted++;
  addEvent(connection.id, kEventAccepted, listener, 0);
}

/** Descriptors ran out. Left alone, the waiting connection would keep the listener readable and the
 *  loop spinning, so the reserve descriptor makes room to accept and drop it. False when there is
 *  nothing more to refuse: accept4() reports EMFILE also when nobody waits. */
bool Reactor::refuseOne(int listenFd) {
  reserve_.close();
  Descriptor refused(accept4(listenFd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  const bool nobodyWaits = !refused.isOpen() && errno == EAGAIN;
  const bool went = refused.isOpen();
  refused.close();
  reserve_ = Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (nobodyWaits) return false;
  counters_.acceptErrors++;
  if (!went) suspendAccepting();
  return went;
}

/** Another thread took the last descriptor, or memory is short: look again later. */
void Reactor::suspendAccepting() {
  itimerspec once = {};
  once.it_value.tv_nsec = kAcceptRetryMillis * 1000 * 1000;
  if (timerfd_settime(acceptRetry_.get(), 0, &once, nullptr) != 0) return;
  acceptingSuspended_ = true;
  watchListeners(0);
}

void Reactor::resumeAccepting() {
  uint64_t expirations;
  if (read(acceptRetry_.get(), &expirations, sizeof(expirations)) < 0) return;
  if (!reserve_.isOpen()) reserve_ = Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  acceptingSuspended_ = false;
  watchListeners(EPOLLIN);
}

void Reactor::watchListeners(uint32_t interest) {
  for (size_t number = 0; number < listeners_.size(); number++) {
    if (!listeners_[number].socket.isOpen()) continue;
    epoll_event event = {interest, {}};
    event.data.u64 = listenerToken(static_cast<int>(number));
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, listeners_[number].socket.get(), &event);
  }
}

}  // namespace stillframe

#include "reactor_harness.h"

#include <algorithm>

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace stillframe::test {

namespace {

bool awaitReady(int fd, short events, int waitMillis) {
  pollfd descriptor = {fd, events, 0};
  return poll(&descriptor, 1, waitMillis) > 0;
}

Descriptor connectTo(int family, const sockaddr* address, socklen_t length) {
  Descriptor fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(fd.isOpen());
  CHECK(connect(fd.get(), address, length) == 0);
  CHECK(fcntl(fd.get(), F_SETFL, O_NONBLOCK) == 0);
  return fd;
}

}  // namespace

Server::Server(Sizes sizes)
    : input_(sizes.input),
      output_(sizes.output),
      events_(kEventsMax * kEventFields),
      sends_(kSendsMax * kSendFields) {
  SystemFailure failure;
  reactor_ = Reactor::open({input_.data(), input_.size(), output_.data(), output_.size(),
                            events_.data(), sends_.data()},
                           sizes.readMax, &failure);
  CHECK(reactor_ != nullptr);
}

int Server::listen(int backlog) {
  int port = 0;
  SystemFailure failure;
  CHECK(reactor_->listenTcp("127.0.0.1", 0, backlog, &port, &failure) >= 0);
  return port;
}

void Server::reply(int32_t id, const std::string& bytes) {
  CHECK(bytes.size() <= output_.size());
  if (outputUsed_ + bytes.size() > output_.size() || sendCount_ == kSendsMax) {
    CHECK(reactor_->flush(sendCount_));
    outputUsed_ = sendCount_ = 0;
  }
  std::copy(bytes.begin(), bytes.end(), output_.begin() + static_cast<ptrdiff_t>(outputUsed_));
  int32_t* row = sends_.data() + sendCount_ * kSendFields;
  row[0] = id;
  row[1] = static_cast<int32_t>(outputUsed_);
  row[2] = static_cast<int32_t>(bytes.size());
  outputUsed_ += bytes.size();
  sendCount_++;
}

std::vector<Event> Server::turn() {
  const int count = reactor_->turn(sendCount_);
  outputUsed_ = sendCount_ = 0;
  CHECK(count >= 0);
  std::vector<Event> events;
  for (int index = 0; index < count; index++) {
    const int32_t* row = events_.data() + static_cast<size_t>(index) * kEventFields;
    Event event = {row[0], row[1], row[2], row[3], ""};
    if (event.kind == kEventData) {
      event.data.assign(reinterpret_cast<char*>(input_.data()) + event.first,
                        static_cast<size_t>(event.second));
    }
    events.push_back(std::move(event));
  }
  return events;
}

bool Server::isReady(int waitMillis) {
  return awaitReady(reactor_->epollDescriptor(), POLLIN, waitMillis);
}

std::vector<Event> Server::turnUntilQuiet() {
  std::vector<Event> all;
  do {
    for (Event& event : turn()) all.push_back(std::move(event));
  } while (isReady());
  return all;
}

Event Server::await(int32_t kind) {
  for (int tries = 0; tries < 10'000; tries++) {
    while (!kept_.empty()) {
      Event event = std::move(kept_.front());
      kept_.erase(kept_.begin());
      if (event.kind == kind) return event;
    }
    kept_ = turn();
    if (kept_.empty()) CHECK(isReady(kWaitMillis));
  }
  CHECK(!"the awaited event did not come");
  return {};
}

void Server::echoUntil(const std::function<bool()>& done) {
  while (!done()) {
    for (const Event& event : turn()) {
      if (event.kind == kEventData) reply(event.id, event.data);
    }
  }
}

Client Client::tcp(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return Client(connectTo(AF_INET, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
}

Client Client::tcp6(int port) {
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(static_cast<uint16_t>(port));
  address.sin6_addr = in6addr_loopback;
  return Client(connectTo(AF_INET6, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
}

Client Client::local(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  CHECK(path.size() < sizeof(address.sun_path));
  std::copy(path.begin(), path.end(), address.sun_path);
  return Client(connectTo(AF_UNIX, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
}

size_t Client::trySend(const std::string& bytes, size_t offset) {
  const ssize_t sent = ::send(fd(), bytes.data() + offset, bytes.size() - offset, MSG_NOSIGNAL);
  if (sent < 0) CHECK(errno == EAGAIN);
  return sent < 0 ? 0 : static_cast<size_t>(sent);
}

bool Client::receive() {
  static char buffer[1 << 16];
  for (;;) {
    const ssize_t count = recv(fd(), buffer, sizeof(buffer), 0);
    if (count < 0) return errno == EAGAIN;
    if (count == 0) return false;
    received.append(buffer, static_cast<size_t>(count));
  }
}

void Client::finishSending() { CHECK(shutdown(fd(), SHUT_WR) == 0); }

void Client::reset() {
  const linger none = {1, 0};
  CHECK(setsockopt(fd(), SOL_SOCKET, SO_LINGER, &none, sizeof(none)) == 0);
  close();
}

bool Client::awaitEnd() {
  while (receive()) {
    if (!awaitReady(fd(), POLLIN, kWaitMillis)) return false;
  }
  return true;
}

int32_t admit(Server& server, int port, Client* client) {
  *client = Client::tcp(port);
  return server.await(kEventAccepted).id;
}

std::string pattern(size_t bytes, uint32_t seed) {
  std::string text(bytes, '\0');
  uint32_t state = seed * 2654435761u + 1;
  for (char& each : text) {
    state = state * 1664525u + 1013904223u;
    each = static_cast<char>(state >> 24);
  }
  return text;
}

Folder::Folder() {
  const char* parent = getenv("TMPDIR");
  path_ = std::string(parent == nullptr ? "/tmp" : parent) + "/stillframe-reactor-XXXXXX";
  CHECK(mkdtemp(path_.data()) != nullptr);
}

Folder::~Folder() {
  DIR* entries = opendir(path_.c_str());
  CHECK(entries != nullptr);
  while (const dirent* entry = readdir(entries)) {
    if (entry->d_name[0] != '.') unlink((path_ + "/" + entry->d_name).c_str());
  }
  closedir(entries);
  rmdir(path_.c_str());
}

}  // namespace stillframe::test

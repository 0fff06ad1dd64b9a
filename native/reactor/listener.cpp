#include "listener.h"

#include <memory>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace stillframe {

namespace {

constexpr int kSocketFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

std::string nameEndpoint(const std::string& host, int port) {
  const bool isIpv6 = host.find(':') != std::string::npos;
  return (isIpv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool enable(int fd, int level, int option) {
  const int on = 1;
  return setsockopt(fd, level, option, &on, sizeof(on)) == 0;
}

/** One candidate of getaddrinfo: socket, options, bind, listen. */
SystemFailure listenOn(const addrinfo& candidate, const std::string& endpoint, int backlog,
                       Listener* listener) {
  Descriptor fd(socket(candidate.ai_family, kSocketFlags, 0));
  if (!fd.isOpen()) return SystemFailure::of("socket " + endpoint);
  if (!enable(fd.get(), SOL_SOCKET, SO_REUSEADDR) || !enable(fd.get(), IPPROTO_TCP, TCP_NODELAY) ||
      (candidate.ai_family == AF_INET6 && !enable(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY))) {
    return SystemFailure::of("setsockopt " + endpoint);
  }
  if (bind(fd.get(), candidate.ai_addr, candidate.ai_addrlen) != 0) {
    return SystemFailure::of("bind " + endpoint);
  }
  if (listen(fd.get(), backlog) != 0) return SystemFailure::of("listen " + endpoint);

  PeerAddress bound = {};
  socklen_t length = sizeof(bound);
  if (getsockname(fd.get(), &bound.any, &length) != 0) {
    return SystemFailure::of("getsockname " + endpoint);
  }
  listener->port =
      ntohs(bound.any.sa_family == AF_INET6 ? bound.ipv6.sin6_port : bound.ipv4.sin_port);
  listener->socket = std::move(fd);
  return {};
}

/** Makes room for a socket file at the address: removes a dead socket, refuses everything else. */
SystemFailure removeStaleSocket(const sockaddr_un& address) {
  const std::string path = address.sun_path;
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? SystemFailure{} : SystemFailure::of("bind " + path);
  }
  if (!S_ISSOCK(status.st_mode)) {
    return SystemFailure::of("bind " + path + " (it exists and is not a socket)", EADDRINUSE);
  }
  Descriptor probe(socket(AF_UNIX, kSocketFlags, 0));
  if (!probe.isOpen()) return SystemFailure::of("socket " + path);
  const int result =
      connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  // Anything but a refusal (a full backlog, another socket type) means that somebody listens.
  if (result == 0 || errno != ECONNREFUSED) return SystemFailure::of("bind " + path, EADDRINUSE);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return SystemFailure::of("unlink " + path);
  return {};
}

}  // namespace

void Listener::close() {
  if (!socket.isOpen()) return;
  socket.close();
  struct stat status;
  if (isUnix() && lstat(path.c_str(), &status) == 0 && status.st_dev == device &&
      status.st_ino == inode) {
    unlink(path.c_str());
  }
}

SystemFailure openTcpListener(const std::string& host, int port, int backlog, Listener* listener) {
  const std::string name = host == "*" ? "0.0.0.0" : host == "::*" ? "::" : host;
  const std::string endpoint = nameEndpoint(name, port);
  if (port < 0 || port > 65535) return SystemFailure::of("bind " + endpoint, EINVAL);

  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) {
    const int error = code == EAI_SYSTEM ? errno : EADDRNOTAVAIL;
    return SystemFailure::of("bind " + endpoint + " (" + gai_strerror(code) + ")", error);
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> candidates(found, freeaddrinfo);

  SystemFailure first;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    SystemFailure failure = listenOn(*each, endpoint, backlog, listener);
    if (!failure.failed()) return {};
    if (!first.failed()) first = std::move(failure);
  }
  return first;
}

SystemFailure openUnixListener(const std::string& path, int mode, int backlog, Listener* listener) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty()) return SystemFailure::of("bind (empty path)", EINVAL);
  if (path.size() >= sizeof(address.sun_path)) {
    return SystemFailure::of("bind " + path, ENAMETOOLONG);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());

  SystemFailure failure = removeStaleSocket(address);
  if (failure.failed()) return failure;
  Descriptor fd(socket(AF_UNIX, kSocketFlags, 0));
  if (!fd.isOpen()) return SystemFailure::of("socket " + path);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return SystemFailure::of("bind " + path);
  }
  // The file exists now: from here on the listener owns it, and a failure removes it again.
  listener->socket = std::move(fd);
  listener->path = path;
  struct stat status;
  if (lstat(path.c_str(), &status) == 0) {
    listener->device = status.st_dev;
    listener->inode = status.st_ino;
  }
  // Before listen(): until then nobody can connect under the permissions that umask gave.
  if (mode >= 0 && chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) {
    failure = SystemFailure::of("chmod " + path);
  } else if (listen(listener->socket.get(), backlog) != 0) {
    failure = SystemFailure::of("listen " + path);
  }
  if (failure.failed()) listener->close();
  return failure;
}

std::string formatAddress(const PeerAddress& address) {
  char text[INET6_ADDRSTRLEN];
  if (address.any.sa_family == AF_INET) {
    inet_ntop(AF_INET, &address.ipv4.sin_addr, text, sizeof(text));
    return nameEndpoint(text, ntohs(address.ipv4.sin_port));
  }
  if (address.any.sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &address.ipv6.sin6_addr, text, sizeof(text));
    return nameEndpoint(text, ntohs(address.ipv6.sin6_port));
  }
  return "";
}

std::string formatLocalAddress(int fd) {
  PeerAddress address = {};
  socklen_t length = sizeof(address);
  if (getsockname(fd, &address.any, &length) != 0) return "";
  return formatAddress(address);
}

}  // namespace stillframe

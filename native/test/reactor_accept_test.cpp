// Listening and accepting: addresses, errors, storms, and running out of descriptors.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "reactor_harness.h"

namespace stillframe::test {

namespace {

int option(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof(value);
  CHECK(getsockopt(fd, level, name, &value, &length) == 0);
  return value;
}

void addressesAndOptions() {
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admit(server, port, &client);
  const ConnectionDescription description = server.reactor().describe(id);
  CHECK(description.address == formatLocalAddress(client.fd()));
  CHECK(description.address.rfind("127.0.0.1:", 0) == 0);
  CHECK(description.localAddress == "127.0.0.1:" + std::to_string(port));
  CHECK(fcntl(description.fd, F_GETFD) == FD_CLOEXEC);
  CHECK((fcntl(description.fd, F_GETFL) & O_NONBLOCK) != 0);
  CHECK(option(description.fd, IPPROTO_TCP, TCP_NODELAY) == 1);
  server.reactor().setKeepAlive(id, 300);
  CHECK(option(description.fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(option(description.fd, IPPROTO_TCP, TCP_KEEPIDLE) == 300);
  CHECK(option(description.fd, IPPROTO_TCP, TCP_KEEPINTVL) == 100);
  server.reactor().setKeepAlive(id, 0);
  CHECK(option(description.fd, SOL_SOCKET, SO_KEEPALIVE) == 0);
  // The address can still be logged when the connection is closed and not told yet.
  server.reactor().close(id);
  CHECK(server.reactor().describe(id).fd == -1);
  CHECK(server.reactor().describe(id).address == description.address);
  CHECK(server.reactor().describe(99).address.empty());
}

void ipv6BesideIpv4() {
  Server server;
  const int port = server.listen();
  int bound = 0;
  SystemFailure failure;
  const int listener = server.reactor().listenTcp("::1", port, 16, &bound, &failure);
  CHECK(listener == 1 && bound == port);
  Client client = Client::tcp6(port);
  const Event accepted = server.await(kEventAccepted);
  CHECK(accepted.first == listener);
  const ConnectionDescription description = server.reactor().describe(accepted.id);
  CHECK(description.address.rfind("[::1]:", 0) == 0);
  CHECK(description.localAddress == "[::1]:" + std::to_string(port));
}

void listenErrors() {
  Server server;
  const int port = server.listen();
  int bound = 0;
  SystemFailure failure;
  Reactor& reactor = server.reactor();
  CHECK(reactor.listenTcp("127.0.0.1", port, 16, &bound, &failure) == -1);
  CHECK(failure.message() ==
        "bind 127.0.0.1:" + std::to_string(port) + ": Address already in use");
  CHECK(reactor.listenTcp("192.0.2.1", 0, 16, &bound, &failure) == -1);
  CHECK(failure.message() == "bind 192.0.2.1:0: Cannot assign requested address");
  CHECK(reactor.listenTcp("127.0.0.1", 70000, 16, &bound, &failure) == -1);
  CHECK(failure.error == EINVAL);
  CHECK(reactor.listenTcp("not a host", 0, 16, &bound, &failure) == -1 && failure.failed());
}

/** A closed listener refuses; its connections go on, and so do other listeners. */
void closeOneListener() {
  Server server;
  const int port = server.listen();
  const int otherPort = server.listen();
  Client client;
  const int32_t id = admit(server, port, &client);
  server.reactor().closeListener(0);
  server.reactor().closeListener(0);
  server.reactor().closeListener(7);
  server.reactor().closeListener(-1);
  client.send("hello");
  CHECK(server.await(kEventData).id == id);
  Client other;
  CHECK(admit(server, otherPort, &other) != id);
  int bound = 0;
  SystemFailure failure;
  CHECK(server.reactor().listenTcp("127.0.0.1", port, 16, &bound, &failure) == 2);
}

void unixSocket() {
  Folder folder;
  const std::string path = folder / "sock";
  SystemFailure failure;
  struct stat status;
  {
    Server server;
    CHECK(server.reactor().listenUnix(path, 0600, 16, &failure) == 0);
    CHECK(stat(path.c_str(), &status) == 0 && (status.st_mode & 07777) == 0600);
    Client client = Client::local(path);
    const int32_t id = server.await(kEventAccepted).id;
    CHECK(server.reactor().describe(id).address == path + ":0");
    CHECK(server.reactor().describe(id).localAddress == path + ":0");
    server.reactor().setKeepAlive(id, 10);
    client.send("over a file");
    const Event data = server.await(kEventData);
    server.reply(id, data.data);
    server.echoUntil([&] { return client.receive() && client.received == "over a file"; });

    Server second;
    CHECK(second.reactor().listenUnix(path, -1, 16, &failure) == -1);
    CHECK(failure.message() == "bind " + path + ": Address already in use");
  }
  CHECK(stat(path.c_str(), &status) != 0);  // removed with its listener

  // A file that its process left behind: bound, but nobody listens.
  Listener dead;
  CHECK(!openUnixListener(path, -1, 16, &dead).failed());
  dead.socket.close();
  Server server;
  CHECK(server.reactor().listenUnix(path, -1, 16, &failure) == 0);
  Client client = Client::local(path);
  server.await(kEventAccepted);

  // No socket: left alone.
  Descriptor file(open((folder / "file").c_str(), O_CREAT | O_WRONLY, 0600));
  CHECK(server.reactor().listenUnix(folder / "file", -1, 16, &failure) == -1);
  CHECK(failure.error == EADDRINUSE && stat((folder / "file").c_str(), &status) == 0);
  CHECK(server.reactor().listenUnix(std::string(200, 'x'), -1, 16, &failure) == -1);
  CHECK(failure.error == ENAMETOOLONG);
  CHECK(server.reactor().listenUnix("", -1, 16, &failure) == -1);

  // A newer file under the same name is not ours to remove.
  unlink(path.c_str());
  Server newer;
  CHECK(newer.reactor().listenUnix(path, -1, 16, &failure) == 0);
  server.reactor().shutdown();
  CHECK(stat(path.c_str(), &status) == 0);
}

/** 20,000 connections opened and dropped, every other one by RST; a steady client is served all
 *  along, and every accepted connection ends. */
void acceptStorm() {
  Server server;
  const int port = server.listen(511);
  Client steady;
  const int32_t steadyId = admit(server, port, &steady);
  size_t accepted = 0, closed = 0, echoed = 0;
  constexpr size_t kStorm = 20'000;
  for (size_t count = 0; count < kStorm; count++) {
    Client client = Client::tcp(port);
    if (count % 2 == 0) client.reset();
    client.close();
    if (count % 100 != 0) continue;
    steady.send("ping");
    for (const Event& event : server.turnUntilQuiet()) {
      accepted += event.kind == kEventAccepted;
      closed += event.kind == kEventClosed;
      if (event.kind == kEventData) {
        CHECK(event.id == steadyId);
        echoed++;
      }
    }
  }
  while (closed < accepted || server.isReady(100)) {
    for (const Event& event : server.turn()) {
      accepted += event.kind == kEventAccepted;
      closed += event.kind == kEventClosed;
    }
  }
  CHECK(echoed == kStorm / 100);
  CHECK(closed == accepted && accepted + server.reactor().counters().acceptErrors >= kStorm);
  CHECK(server.reactor().queuedBytesTotal() == 0);
}

/** Runs `body` in a child process with room for `room` more descriptors than are open now. */
void withFewDescriptors(int room, void (*body)(Server& server, int port, int readyPipe)) {
  Server server;
  const int port = server.listen();
  int ready[2];
  CHECK(pipe(ready) == 0);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    const int next = dup(0);
    CHECK(next >= 0 && ::close(next) == 0);
    const rlimit limit = {static_cast<rlim_t>(next + room), static_cast<rlim_t>(next + room)};
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    body(server, port, ready[1]);
    _exit(0);
  }
  // The parent only makes connections: ten, which the child has no room for.
  char byte;
  CHECK(read(ready[0], &byte, 1) == 1);
  std::vector<Client> clients(10);
  for (Client& client : clients) client = Client::tcp(port);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

void outOfDescriptors() {
  withFewDescriptors(4, [](Server& server, int, int readyPipe) {
    CHECK(write(readyPipe, "x", 1) == 1);
    size_t accepted = 0;
    while (accepted + server.reactor().counters().acceptErrors < 10) {
      CHECK(server.isReady(kWaitMillis));
      for (const Event& event : server.turn()) accepted += event.kind == kEventAccepted;
    }
    CHECK(accepted == 4 && server.reactor().counters().acceptErrors == 6);
    CHECK(!server.isReady(50));  // the backlog is empty: no spinning
    // Room again: the next one is served.
    server.reactor().close(0);
    server.turnUntilQuiet();
    int port = 0;
    SystemFailure failure;
    CHECK(server.reactor().listenTcp("127.0.0.1", 0, 16, &port, &failure) == 1);
  });
}

/** The reserve is gone too (another thread took the descriptor): accepting pauses instead of
 *  spinning, and goes on when there is room. */
void outOfDescriptorsWithoutReserve() {
  withFewDescriptors(1, [](Server& server, int, int readyPipe) {
    // A limit below every open descriptor: the reserve can be closed, but nothing be opened.
    rlimit before;
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit low = {3, before.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
    CHECK(write(readyPipe, "x", 1) == 1);
    CHECK(server.isReady(kWaitMillis));
    size_t turns = 0;
    while (server.isReady()) {
      server.turn();
      turns++;
    }
    CHECK(turns < 10 && server.reactor().counters().acceptErrors >= 1);
    CHECK(server.reactor().counters().accepted == 0);
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    // The timer brings accepting back.
    CHECK(server.await(kEventAccepted).id == 0);
  });
}

}  // namespace

std::vector<TestCase> acceptTests() {
  return {{"accept: addresses and socket options", addressesAndOptions},
          {"accept: IPv6 beside IPv4 on one port", ipv6BesideIpv4},
          {"listen: errors name the call and the address", listenErrors},
          {"listen: closing one listener", closeOneListener},
          {"listen: Unix socket files", unixSocket},
          {"accept: a storm of 20,000 connections", acceptStorm},
          {"accept: out of descriptors", outOfDescriptors},
          {"accept: out of descriptors without reserve", outOfDescriptorsWithoutReserve}};
}

}  // namespace stillframe::test

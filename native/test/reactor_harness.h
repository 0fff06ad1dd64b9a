// Tools for the reactor's native tests: a reactor with its buffers, plain client sockets, and a
// driver that alternates between them on one thread, so that every test is deterministic up to the
// kernel's own timing. Waiting is always poll() on the descriptors concerned, bounded.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "../reactor/reactor.h"

#define CHECK(condition)                                                                  \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: CHECK(%s), errno %d\n", __FILE__, __LINE__, #condition, \
                   errno);                                                                \
      std::exit(1);                                                                       \
    }                                                                                     \
  } while (false)

namespace stillframe::test {

constexpr int kWaitMillis = 10'000;

struct TestCase {
  const char* name;
  void (*run)();
};

/** All tests: reactor_data_test.cpp, reactor_receive_test.cpp and so on. */
std::vector<TestCase> dataTests();
std::vector<TestCase> receiveTests();
std::vector<TestCase> endTests();
std::vector<TestCase> acceptTests();
std::vector<TestCase> spinTests();

struct Event {
  int32_t id;
  int32_t kind;
  int32_t first;
  int32_t second;
  std::string data;  // of kEventData
};

struct Sizes {
  size_t input = 1 << 20;
  size_t output = 1 << 20;
  size_t readMax = 64 * 1024;
};

/** A reactor and the part that JavaScript plays. */
class Server {
 public:
  explicit Server(Sizes sizes = {});

  Reactor& reactor() { return *reactor_; }
  /** Listens on 127.0.0.1; returns the port. */
  int listen(int backlog = 511);

  /** Writes a reply for the next turn (flushes first when `output` or `sends` is full). */
  void reply(int32_t id, const std::string& bytes);
  /** One turn with the replies written so far. */
  std::vector<Event> turn();
  /** Turns until the epoll descriptor is quiet; all events in order. */
  std::vector<Event> turnUntilQuiet();
  /** Waits for an event of this kind; others before it in the same turns are dropped. */
  Event await(int32_t kind);
  /** True when there is something to do within the time. */
  bool isReady(int waitMillis = 0);
  /** Turns and replies with what arrives until `done`. */
  void echoUntil(const std::function<bool()>& done);

  std::vector<int32_t>& sends() { return sends_; }

 private:
  std::vector<uint8_t> input_, output_;
  std::vector<int32_t> events_, sends_;
  size_t outputUsed_ = 0;
  size_t sendCount_ = 0;
  std::vector<Event> kept_;  // of turns whose events await() did not reach yet
  std::unique_ptr<Reactor> reactor_;
};

/** A client socket, non-blocking. */
class Client {
 public:
  Client() = default;
  static Client tcp(int port);
  static Client tcp6(int port);
  static Client local(const std::string& path);

  int fd() const { return socket_.get(); }
  /** Sends as much as the socket takes; returns how much. */
  size_t trySend(const std::string& bytes, size_t offset = 0);
  void send(const std::string& bytes) { CHECK(trySend(bytes) == bytes.size()); }
  /** Appends what is there to `received`; false at the end of the stream or on an error. */
  bool receive();
  std::string received;

  void finishSending();
  void close() { socket_.close(); }
  /** Closes with RST instead of FIN. */
  void reset();
  /** The peer is gone: end of stream or reset arrives within the wait. */
  bool awaitEnd();

 private:
  explicit Client(Descriptor socket) : socket_(std::move(socket)) {}
  Descriptor socket_;
};

/** Connects, and takes kEventAccepted: the id. */
int32_t admit(Server& server, int port, Client* client);

/** `bytes` pseudo-random bytes: position-dependent, so that a lost or doubled piece shows. */
std::string pattern(size_t bytes, uint32_t seed = 1);

/** A new folder for socket files, removed with what is in it. */
class Folder {
 public:
  Folder();
  ~Folder();
  std::string operator/(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace stillframe::test

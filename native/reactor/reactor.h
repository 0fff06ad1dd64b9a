// The socket reactor: moves bytes between many sockets and two shared buffers, one call a turn.
//
//   sends[]  (connection, offset, length) --+            +--> events[] (connection, kind, a, b)
//   output[] reply bytes -------------------+--> turn() -+--> input[]  request bytes
//                                                 |
//                                  send(2), epoll_wait(0), accept4, recv(2)
//
//   leaveInSocket(), then for each EVENT_READABLE: receive() ---> a buffer of the caller's, recv(2)
//
// A turn: (1) send the replies that JavaScript wrote; (2) free the ids whose end was told a turn
// ago; (3) tell what happened outside a turn; (4) take one batch from epoll and serve every socket
// in it once: flush its queue, then one recv() into the next free bytes of `input`. Many bytes that
// belong together and that the caller has to keep anyway (a large bulk) need not pass through
// `input`: it has them left in the socket, and takes them itself when a turn tells that some are
// there. Inside the caller's loop, a turn that sent replies and found nobody ready may ask epoll
// for some microseconds more (spin_budget.h).
//
// Invariants
// - Level-triggered: the kernel is the only memory of who is ready. Whatever a turn leaves undone
//   keeps the epoll descriptor readable, so nothing waits for an unrelated event. The few things
//   epoll cannot know (ends decided by JavaScript) are in `pending_`, and the wake descriptor is
//   readable whenever `pending_` is not empty outside a turn.
// - Fair: a connection is read once per batch, readBytesMax at most, and the rest of a batch that
//   did not fit into `input` (or was one too many to be told readable) is served before the next
//   batch is taken.
// - No allocation in a turn, except chunks for bytes that a socket did not take and table growth.
// - An event for a connection is the last one of its life if and only if it is kEventClosed.
// - Nothing here knows V8, Node or libuv; nothing throws. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/epoll.h>

#include "connection_table.h"
#include "descriptor.h"
#include "listener.h"
#include "output_queue.h"
#include "spin_budget.h"

namespace stillframe {

// Kinds of events and the width of a row: the same numbers as in native/index.ts.
constexpr int32_t kEventData = 0;
constexpr int32_t kEventAccepted = 1;
constexpr int32_t kEventClosed = 2;
constexpr int32_t kEventDrained = 3;
constexpr int32_t kEventReadable = 4;
constexpr size_t kEventFields = 4;
constexpr size_t kSendFields = 3;

/** Sockets taken from epoll at once; each gives at most kEventsPerSocketMax events. */
constexpr int kBatchMax = 512;
constexpr size_t kEventsPerSocketMax = 2;  // drained, and data or readable
/** Sockets told readable per turn: what the caller takes from them bounds the turn as `input` does.
 */
constexpr int kReadablesPerTurnMax = 16;
/** As Redis's MAX_ACCEPTS_PER_CALL: a storm of connections must not stop the others. */
constexpr int kAcceptsPerTurnMax = 1000;
constexpr size_t kPendingPerTurnMax = 1024;
constexpr size_t kEventsMax = 4096;
constexpr size_t kSendsMax = 4096;
static_assert(kPendingPerTurnMax + kBatchMax * kEventsPerSocketMax + kAcceptsPerTurnMax <=
                  kEventsMax,
              "the events of the fullest turn fit");
/** A piece of `input` smaller than this is not worth a recv(); the batch goes on next turn. */
constexpr size_t kReadBytesMin = 4096;
/** Chunks of a queue handed to one sendmsg(): 1 MiB for one connection per turn. */
constexpr int kFlushVectorsMax = 16;
/** Out of descriptors and of other means: when to try accepting again. */
constexpr long kAcceptRetryMillis = 100;

/** Memory that the reactor shares with its caller, who owns it and outlives the reactor. */
struct ReactorBuffers {
  uint8_t* input;
  size_t inputBytes;
  uint8_t* output;
  size_t outputBytes;
  /** kEventsMax rows of kEventFields. */
  int32_t* events;
  /** kSendsMax rows of kSendFields. */
  int32_t* sends;
};

struct ReactorCounters {
  uint64_t accepted = 0;
  uint64_t bytesIn = 0;
  uint64_t bytesOut = 0;
  uint64_t acceptErrors = 0;
};

struct ConnectionDescription {
  int fd = -1;
  std::string address;
  std::string localAddress;
};

class Reactor {
 public:
  /** A bad row in `sends`: outside `output`. Nothing of that row was sent. */
  static constexpr int kBadSend = -1;

  /** nullptr and a failure when the kernel gives no descriptors. readBytesMax <= inputBytes. */
  static std::unique_ptr<Reactor> open(const ReactorBuffers& buffers, size_t readBytesMax,
                                       SystemFailure* failure);
  ~Reactor() { shutdown(); }
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  /** Readable when turn() has something to do; -1 after shutdown(). */
  int epollDescriptor() const { return epoll_.get(); }

  /** The new listener's number, or -1 and a failure. `*boundPort` is the port in use. */
  int listenTcp(const std::string& host, int port, int backlog, int* boundPort,
                SystemFailure* failure);
  int listenUnix(const std::string& path, int mode, int backlog, SystemFailure* failure);
  void closeListener(int listener);

  /** See native/index.ts. Number of events, or kBadSend (then no sockets were polled). */
  int turn(size_t sendCount);
  bool flush(size_t sendCount) { return sendReplies(sendCount); }
  void send(int64_t id, const uint8_t* bytes, size_t length);

  /** Between these the caller runs its own loop over turn(): what it decides there is told by the
   *  turns of that loop, without waking the epoll descriptor for each. */
  void enterLoop() { insideLoop_ = true; }
  void leaveLoop();

  uint64_t queuedBytes(int64_t id);
  uint64_t queuedBytesTotal() const { return queuedBytesTotal_; }
  void setReading(int64_t id, bool reading);
  /** The next `bytes` bytes of a connection are not read into `input`: kEventReadable tells that
   *  some are there, and receive() takes them. All the same they may come as kEventData when the
   *  connection is about to end. Takes the place of what was told before; 0 ends it. */
  void leaveInSocket(int64_t id, uint32_t bytes);
  /** Takes at most `length` of the bytes that were left in the socket. How many; 0 when none is
   *  there now, or the connection has ended, which a later turn tells. */
  size_t receive(int64_t id, uint8_t* target, size_t length);
  void closeAfterSend(int64_t id);
  void close(int64_t id);
  /** TCP keep-alive after `seconds` of silence, 0 turns it off; no effect on Unix sockets. */
  void setKeepAlive(int64_t id, int seconds);
  ConnectionDescription describe(int64_t id);
  const ReactorCounters& counters() const { return counters_; }
  /** Chunks of queued output that are mapped, in use or kept for reuse (for tests and INFO). */
  size_t mappedChunks() const { return chunks_.mappedChunks(); }

  /** Closes every socket without telling; all calls are harmless afterwards. Idempotent. */
  void shutdown();

 private:
  Reactor(const ReactorBuffers& buffers, size_t readBytesMax)
      : buffers_(buffers), readBytesMax_(readBytesMax) {}
  bool openDescriptors(SystemFailure* failure);
  int addListener(Listener&& listener, SystemFailure* failure);

  // reactor.cpp: the turn
  void releaseTold();
  void tellPending();
  void serveBatch(bool hasReplied);
  void takeBatch();
  void spinForBatch();
  void serveToken(uint64_t token, uint32_t ready);
  void serveConnection(Connection& connection, uint32_t ready);
  void readInput(Connection& connection, uint32_t ready);
  ssize_t receiveFrom(Connection& connection, uint8_t* target, size_t length);
  void addEvent(uint32_t id, int32_t kind, int32_t first, int32_t second);
  void wakeIfPending();
  void takeWake();

  // reactor_send.cpp: replies, queues, ends
  bool sendReplies(size_t sendCount);
  void sendNow(Connection& connection, const uint8_t* bytes, size_t length);
  void queueOutput(Connection& connection, const uint8_t* bytes, size_t length);
  bool flushQueue(Connection& connection);
  void setInterest(Connection& connection);
  void detach(Connection& connection);
  void finish(Connection& connection, int error);
  void finishInBatch(Connection& connection, int error);
  void tellClosed(const Connection& connection);
  void tellLater(Connection& connection);
  void discardInput(const Connection& connection) const;
  static int takeSocketError(int fd);

  // reactor_accept.cpp: listeners
  void acceptFrom(int listener);
  void admit(int fd, int listener, const PeerAddress& peer);
  bool refuseOne(int listenFd);
  void suspendAccepting();
  void resumeAccepting();
  void watchListeners(uint32_t interest);

  const ReactorBuffers buffers_;
  const size_t readBytesMax_;

  Descriptor epoll_;
  /** eventfd: readable while `pending_` waits and no loop runs. */
  Descriptor wake_;
  /** timerfd: when to try accepting again. */
  Descriptor acceptRetry_;
  /** Given up for a moment to accept, and drop, a connection when descriptors run out. */
  Descriptor reserve_;

  ConnectionTable table_;
  ChunkPool chunks_;
  std::vector<Listener> listeners_;
  /** Ended outside a batch, or to be closed when its queue is empty; each id at most once. */
  std::vector<uint32_t> pending_;
  /** EVENT_CLOSED stands in the events of the last turn. */
  std::vector<uint32_t> told_;

  std::array<epoll_event, kBatchMax> batch_;
  int batchCount_ = 0;
  int batchNext_ = 0;

  size_t eventCount_ = 0;
  size_t inputUsed_ = 0;
  int acceptsLeft_ = 0;
  int readablesLeft_ = 0;
  bool insideLoop_ = false;
  bool wakeArmed_ = false;
  bool acceptingSuspended_ = false;
  SpinBudget spin_;
  uint64_t queuedBytesTotal_ = 0;
  ReactorCounters counters_;
};

}  // namespace stillframe

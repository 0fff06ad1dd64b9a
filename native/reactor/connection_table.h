// Connections by small integer id: what the reactor knows of each socket.
//
// An id goes through three states:
//
//   free --claim()--> live --(close)---> closed --release()--> free
//                     fd >= 0            fd = -1               generation + 1
//
// The reactor closes the descriptor at once, but the id stays taken until JavaScript has seen
// EVENT_CLOSED, so that a reply written for the old connection never reaches a new one. Events that
// the kernel reported before a close carry the id and its generation as one 64-bit token; the
// generation changes with every release, so such an event finds nobody.
//
// A record is one cache line; what only describe() wants lies in a second array.
#pragma once

#include <cstdint>
#include <vector>

#include <netinet/in.h>

#include "output_queue.h"

namespace stillframe {

struct Connection {
  int fd = -1;
  uint32_t generation = 0;
  uint32_t id = 0;
  /** The epoll bits registered now; meaningless while `detached`. */
  uint32_t interest = 0;
  OutputQueue queue;
  /** errno for EVENT_CLOSED, 0 for an orderly end. */
  int closeError = 0;
  int32_t listener = -1;
  /** So many of the next bytes are not read into the shared input: see Reactor::leaveInSocket(). */
  uint32_t leftInSocket = 0;
  /** The id is taken (live or closed). */
  bool claimed = false;
  /** JavaScript wants input. */
  bool reading = true;
  /** The peer has sent its FIN: nothing more to read. */
  bool peerFinished = false;
  /** closeAfterSend() was called. */
  bool closing = false;
  /** Taken out of epoll: it hung up while nobody wanted its input, and EPOLLHUP has no mask. */
  bool detached = false;
  /** Stands in the reactor's list of things to tell in a later turn. */
  bool pending = false;

  bool isLive() const { return fd >= 0; }
  bool wantsInput() const { return reading && !peerFinished && !closing; }
};

static_assert(sizeof(Connection) <= 64, "a connection record is one cache line");

/** Where the peer is; family 0 when unknown, AF_UNIX without a path. */
union PeerAddress {
  sockaddr any;
  sockaddr_in ipv4;
  sockaddr_in6 ipv6;
};

class ConnectionTable {
 public:
  /** Takes the id that became free last, or a new one. The reference is valid until the next
   *  claim(). */
  Connection& claim(int fd, int32_t listener, const PeerAddress& peer);
  /** Closed, and not to be told about any more: the id may be claimed again. */
  void release(uint32_t id);

  /** The live connection with this id or nullptr; any number may be asked for. */
  Connection* live(int64_t id) {
    if (static_cast<uint64_t>(id) >= connections_.size()) return nullptr;
    Connection& connection = connections_[static_cast<size_t>(id)];
    return connection.isLive() ? &connection : nullptr;
  }
  /** The live connection an epoll token was made for, or nullptr when it is gone. */
  Connection* liveByToken(uint64_t token) {
    Connection* connection = live(static_cast<uint32_t>(token));
    return connection != nullptr && connection->generation == token >> 32 ? connection : nullptr;
  }
  static uint64_t tokenOf(const Connection& connection) {
    return static_cast<uint64_t>(connection.generation) << 32 | connection.id;
  }

  /** The record of a taken id, live or closed, or nullptr. */
  const Connection* find(int64_t id) const {
    if (static_cast<uint64_t>(id) >= connections_.size()) return nullptr;
    const Connection& connection = connections_[static_cast<size_t>(id)];
    return connection.claimed ? &connection : nullptr;
  }
  Connection& at(uint32_t id) { return connections_[id]; }
  const PeerAddress& peerOf(uint32_t id) const { return peers_[id]; }
  /** Ids that were ever taken are below this. */
  uint32_t idLimit() const { return static_cast<uint32_t>(connections_.size()); }

 private:
  std::vector<Connection> connections_;
  std::vector<PeerAddress> peers_;
  std::vector<uint32_t> freeIds_;
};

}  // namespace stillframe

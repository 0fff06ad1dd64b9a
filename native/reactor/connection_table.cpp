#include "connection_table.h"

namespace stillframe {

Connection& ConnectionTable::claim(int fd, int32_t listener, const PeerAddress& peer) {
  uint32_t id;
  if (freeIds_.empty()) {
    id = idLimit();
    connections_.emplace_back();
    peers_.emplace_back();
    // release() must never allocate: it runs once per closed connection.
    freeIds_.reserve(connections_.capacity());
  } else {
    id = freeIds_.back();
    freeIds_.pop_back();
  }
  Connection& connection = connections_[id];
  const uint32_t generation = connection.generation;
  connection = Connection();
  connection.generation = generation;
  connection.id = id;
  connection.fd = fd;
  connection.listener = listener;
  connection.claimed = true;
  peers_[id] = peer;
  return connection;
}

void ConnectionTable::release(uint32_t id) {
  Connection& connection = connections_[id];
  connection.claimed = false;
  connection.generation++;
  freeIds_.push_back(id);
}

}  // namespace stillframe

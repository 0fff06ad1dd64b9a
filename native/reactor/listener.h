// Listening sockets and the text form of socket addresses. No state beyond the descriptor.
//
// Who may call it: the reactor. Errors name the call and the address, as an administrator wants to
// read them: "bind 127.0.0.1:6379: Address already in use".
#pragma once

#include <string>

#include <sys/stat.h>
#include <sys/types.h>

#include "connection_table.h"
#include "descriptor.h"

namespace stillframe {

struct Listener {
  Descriptor socket;
  /** TCP: the bound port, also when 0 (any free one) was asked for. Unix: 0. */
  int port = 0;
  /** Unix: where the socket file is, and which file it was when it was made. */
  std::string path;
  dev_t device = 0;
  ino_t inode = 0;

  bool isUnix() const { return !path.empty(); }
  /** Closes the socket and removes the socket file if it is still the one that was made. */
  void close();
};

/** Listens on a numeric address or a host name; "*" is every IPv4 and "::*" every IPv6 address.
 *  SO_REUSEADDR, and IPV6_V6ONLY so that both families can share a port. Accepted sockets inherit
 *  TCP_NODELAY (Linux copies it from the listener). */
SystemFailure openTcpListener(const std::string& host, int port, int backlog, Listener* listener);

/** Listens on a Unix socket file. A file left by a dead process is replaced: only if it is a socket
 *  and connecting to it is refused. `mode` are permission bits, -1 leaves what umask gives. */
SystemFailure openUnixListener(const std::string& path, int mode, int backlog, Listener* listener);

/** "127.0.0.1:6379", "[::1]:6379"; "" for an unknown family. */
std::string formatAddress(const PeerAddress& address);

/** The socket's own end of the connection, "" when it has none. */
std::string formatLocalAddress(int fd);

}  // namespace stillframe

// How connections end: by the peer (FIN, RST, hang-up), by us, and what becomes of their ids.
#include <algorithm>

#include <sys/socket.h>

#include "reactor_harness.h"

namespace stillframe::test {

namespace {

/** printf 'PING\r\n' | nc -N: the request and the FIN arrive together. */
void halfCloseByPeer() {
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admit(server, port, &client);
  client.send("PING\r\n");
  client.finishSending();
  const Event data = server.await(kEventData);
  CHECK(data.data == "PING\r\n");
  server.reply(id, "+PONG\r\n");
  const Event closed = server.await(kEventClosed);
  CHECK(closed.id == id && closed.first == 0);
  CHECK(client.awaitEnd() && client.received == "+PONG\r\n");
}

/** The same with a reply that the socket does not take at once: all of it still arrives. */
void halfCloseWithLongReply() {
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admit(server, port, &client);
  client.send("GET big\r\n");
  client.finishSending();
  server.await(kEventData);
  const std::string block = pattern(1 << 20);
  for (int count = 0; count < 16; count++) server.reply(id, block);
  server.turnUntilQuiet();
  CHECK(server.reactor().queuedBytes(id) > 0);
  CHECK(!server.isReady(20));  // the FIN was seen once; waiting for room is quiet
  bool closed = false;
  while (client.receive()) {
    for (const Event& event : server.turn()) {
      CHECK(event.kind == kEventClosed && event.id == id && event.first == 0);
      closed = true;
    }
  }
  CHECK(closed && client.received.size() == 16 * block.size());
}

void resetByPeer() {
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admit(server, port, &client);
  client.reset();
  const Event closed = server.await(kEventClosed);
  CHECK(closed.id == id && closed.first == ECONNRESET);
}

/** A peer that is gone when we answer: no signal, one end, however often we send. */
void sendToPeerThatIsGone() {
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admit(server, port, &client);
  client.send("request");
  server.await(kEventData);
  client.reset();
  for (int count = 0; count < 5; count++) {
    server.reactor().send(id, reinterpret_cast<const uint8_t*>("reply"), 5);
  }
  const std::vector<Event> events = server.turnUntilQuiet();
  CHECK(events.size() == 1 && events[0].kind == kEventClosed);
  CHECK(events[0].first == ECONNRESET || events[0].first == EPIPE);
  CHECK(server.turnUntilQuiet().empty());
}

void resetWithQueuedBytes() {
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admit(server, port, &client);
  for (int count = 0; count < 16; count++) server.reply(id, pattern(1 << 20));
  server.turnUntilQuiet();
  CHECK(server.reactor().queuedBytesTotal() > 0);
  client.reset();
  const Event closed = server.await(kEventClosed);
  CHECK(closed.id == id && closed.first != 0);
  CHECK(server.reactor().queuedBytesTotal() == 0);
  CHECK(server.reactor().mappedChunks() <= ChunkPool::kFreeChunksMax);
}

void endsWhilePaused() {
  Server server;
  const int port = server.listen();
  Client finisher, resetter;
  const int32_t finisherId = admit(server, port, &finisher);
  const int32_t resetterId = admit(server, port, &resetter);
  server.reactor().setReading(finisherId, false);
  server.reactor().setReading(resetterId, false);
  finisher.send("last words");
  finisher.close();
  resetter.reset();
  // A reset is told although nobody reads; a FIN waits, quietly, behind the data.
  const Event closed = server.await(kEventClosed);
  CHECK(closed.id == resetterId && closed.first == ECONNRESET);
  CHECK(server.turnUntilQuiet().empty() && !server.isReady(20));
  server.reactor().setReading(finisherId, true);
  CHECK(server.await(kEventData).data == "last words");
  CHECK(server.await(kEventClosed).id == finisherId);
}

/** A Unix peer that closes hangs up both ways, which epoll reports whether wanted or not. */
void unixHangUpWhilePaused() {
  Folder folder;
  Server server;
  SystemFailure failure;
  CHECK(server.reactor().listenUnix(folder / "sock", -1, 16, &failure) >= 0);
  Client client = Client::local(folder / "sock");
  const int32_t id = server.await(kEventAccepted).id;
  server.reactor().setReading(id, false);
  client.send("last words");
  client.close();
  server.turnUntilQuiet();
  CHECK(!server.isReady(20));
  server.reactor().setReading(id, true);
  CHECK(server.await(kEventData).data == "last words");
  CHECK(server.await(kEventClosed).id == id);

  // The same, but we answer before we read on: the send finds out.
  client = Client::local(folder / "sock");
  const int32_t next = server.await(kEventAccepted).id;
  server.reactor().setReading(next, false);
  client.close();
  server.turnUntilQuiet();
  server.reply(next, "anybody?");
  const Event closed = server.await(kEventClosed);
  CHECK(closed.id == next && closed.first == EPIPE);
}

/** QUIT: the reply is written after closeAfterSend() was called, and still arrives. */
void closeAfterSendOrder() {
  Server server;
  const int port = server.listen();
  for (const bool unread : {false, true}) {
    Client client;
    const int32_t id = admit(server, port, &client);
    client.send("QUIT\r\n");
    CHECK(server.await(kEventData).id == id);
    if (unread) client.send("and more that nobody will read");
    server.reactor().closeAfterSend(id);
    server.reactor().closeAfterSend(id);
    server.reply(id, "+OK\r\n");
    const Event closed = server.await(kEventClosed);
    CHECK(closed.id == id && closed.first == 0);
    CHECK(client.awaitEnd() && client.received == "+OK\r\n");
  }
}

void closeAfterSendWithQueue() {
  Server server;
  const int port = server.listen();
  Client client, stubborn;
  const int32_t id = admit(server, port, &client);
  const int32_t stubbornId = admit(server, port, &stubborn);
  const std::string block = pattern(1 << 20);
  for (int count = 0; count < 16; count++) {
    server.reply(id, block);
    server.reply(stubbornId, block);
  }
  server.reactor().closeAfterSend(id);
  server.reactor().closeAfterSend(stubbornId);
  server.turnUntilQuiet();
  while (client.receive()) {
    for (const Event& event : server.turn()) CHECK(event.kind == kEventClosed && event.id == id);
  }
  CHECK(client.received.size() == 16 * block.size());
  // A peer that never reads waits for ever, until it is closed.
  CHECK(!server.isReady(20) && server.reactor().queuedBytes(stubbornId) > 0);
  server.reactor().close(stubbornId);
  CHECK(server.reactor().queuedBytesTotal() == 0);
  CHECK(server.await(kEventClosed).id == stubbornId);
}

/** close() from a timer: the epoll descriptor becomes readable although no socket is. */
void closeOutsideTheLoop() {
  Server server;
  const int port = server.listen();
  Client client, other;
  const int32_t id = admit(server, port, &client);
  const int32_t otherId = admit(server, port, &other);
  CHECK(!server.isReady());
  server.reactor().close(id);
  server.reactor().close(id);
  CHECK(server.isReady());
  const std::vector<Event> events = server.turnUntilQuiet();
  CHECK(events.size() == 1 && events[0].kind == kEventClosed && events[0].first == 0);
  CHECK(client.awaitEnd());

  // Inside the caller's loop nothing is woken; leaving it with something untold wakes.
  server.reactor().enterLoop();
  server.reactor().closeAfterSend(otherId);
  CHECK(!server.isReady());
  server.reactor().leaveLoop();
  CHECK(server.isReady());
  CHECK(server.turnUntilQuiet().size() == 1);
  CHECK(!server.isReady());
}

/** An id is free again only the turn after its end was told; replies to it until then go nowhere.
 */
void idsAreNotReusedEarly() {
  Server server;
  const int port = server.listen();
  Client first;
  const int32_t id = admit(server, port, &first);
  server.reactor().close(id);
  Client second = Client::tcp(port);
  CHECK(server.isReady(kWaitMillis));
  const std::vector<Event> told = server.turn();
  CHECK(told.size() == 2 && told[0].kind == kEventClosed && told[0].id == id);
  CHECK(told[1].kind == kEventAccepted && told[1].id != id);
  server.reply(id, "for the dead");
  Client third = Client::tcp(port);
  const Event reused = server.await(kEventAccepted);
  CHECK(reused.id == id);
  server.reply(id, "for the living");
  server.echoUntil([&] { return third.receive() && third.received == "for the living"; });
  CHECK(second.receive() && second.received.empty());
}

/** Events that the kernel reported for a connection which was then closed, whose id and descriptor
 *  number both went to a new one, reach nobody. */
void staleEventsReachNobody() {
  Server server({4096, 1 << 20, 4096});
  const int port = server.listen();
  Client filler, victim;
  const int32_t ids[2] = {admit(server, port, &filler), admit(server, port, &victim)};
  filler.send(std::string(4096, 'a'));
  victim.send(std::string(4096, 'b'));
  CHECK(server.isReady(kWaitMillis));
  const std::vector<Event> events = server.turn();
  CHECK(events.size() == 1);
  // One of the two events is still in line. Its connection ends, and its end is told, before it is
  // served, because the input buffer fills with each turn.
  const int32_t stale = events[0].id == ids[0] ? ids[1] : ids[0];
  server.reactor().close(stale);
  Client newcomer = Client::tcp(port);
  std::vector<int32_t> closed;
  int32_t admitted = -1;
  while (admitted < 0) {
    for (const Event& event : server.turn()) {
      CHECK(event.kind != kEventData);
      if (event.kind == kEventClosed) closed.push_back(event.id);
      if (event.kind == kEventAccepted) admitted = event.id;
    }
  }
  CHECK(closed == std::vector<int32_t>{stale});
  CHECK(server.turnUntilQuiet().empty());
}

/** More ends than one turn tells: the rest follows, each once. */
void manyEndsAtOnce() {
  Server server;
  const int port = server.listen(1024);
  std::vector<Client> clients(2500);
  std::vector<int32_t> ids;
  for (Client& client : clients) ids.push_back(admit(server, port, &client));
  for (const int32_t id : ids) server.reactor().close(id);
  std::vector<int32_t> told;
  while (server.isReady()) {
    for (const Event& event : server.turn()) {
      CHECK(event.kind == kEventClosed);
      told.push_back(event.id);
    }
  }
  std::sort(told.begin(), told.end());
  std::sort(ids.begin(), ids.end());
  CHECK(told == ids);
}

void shutdownWithOpenConnections() {
  Server server;
  const int port = server.listen();
  std::vector<Client> clients(50);
  int32_t last = -1;
  for (Client& client : clients) last = admit(server, port, &client);
  server.reactor().send(last, reinterpret_cast<const uint8_t*>("x"), 1);
  for (int count = 0; count < 20; count++) server.reply(last, pattern(1 << 20));
  server.turnUntilQuiet();
  server.reactor().close(last);
  server.reactor().shutdown();
  server.reactor().shutdown();
  for (Client& client : clients) CHECK(client.awaitEnd());
  CHECK(server.reactor().epollDescriptor() == -1);
  CHECK(server.reactor().mappedChunks() == 0);
  // Every call is harmless now.
  CHECK(server.reactor().turn(0) == 0 && server.reactor().flush(1));
  server.reactor().send(0, reinterpret_cast<const uint8_t*>("x"), 1);
  server.reactor().setReading(0, false);
  server.reactor().closeAfterSend(0);
  server.reactor().close(0);
  server.reactor().leaveLoop();
  CHECK(server.reactor().queuedBytes(0) == 0 && server.reactor().describe(0).fd == -1);
  int bound = 0;
  SystemFailure failure;
  CHECK(server.reactor().listenTcp("127.0.0.1", 0, 1, &bound, &failure) == -1);
  CHECK(failure.failed());
}

}  // namespace

std::vector<TestCase> endTests() {
  return {{"end: half-close by the peer", halfCloseByPeer},
          {"end: half-close with a long reply", halfCloseWithLongReply},
          {"end: reset by the peer", resetByPeer},
          {"end: sending to a peer that is gone", sendToPeerThatIsGone},
          {"end: reset with queued bytes", resetWithQueuedBytes},
          {"end: while paused", endsWhilePaused},
          {"end: Unix peer hangs up while paused", unixHangUpWhilePaused},
          {"end: closeAfterSend keeps its reply", closeAfterSendOrder},
          {"end: closeAfterSend with a queue, and close", closeAfterSendWithQueue},
          {"end: close outside the loop", closeOutsideTheLoop},
          {"ids: not reused before the end was told", idsAreNotReusedEarly},
          {"ids: stale events reach nobody", staleEventsReachNobody},
          {"ids: many ends at once", manyEndsAtOnce},
          {"shutdown: with open connections", shutdownWithOpenConnections}};
}

}  // namespace stillframe::test

// Bytes that are left in the socket and taken by the caller: nothing is lost, doubled or taken too
// far, however the connection ends, and nobody else waits for it.
#include <algorithm>

#include <sys/socket.h>

#include "reactor_harness.h"

namespace stillframe::test {

namespace {

constexpr uint32_t kBulkBytes = 3'000'000;

std::string take(Server& server, int32_t id, size_t length) {
  std::string bytes(length, '\0');
  bytes.resize(server.reactor().receive(id, reinterpret_cast<uint8_t*>(bytes.data()), length));
  return bytes;
}

/** A client of which the next bytes are left in the socket. */
int32_t admitWithBulk(Server& server, int port, Client* client, uint32_t bytes = kBulkBytes) {
  const int32_t id = admit(server, port, client);
  server.reactor().leaveInSocket(id, bytes);
  return id;
}

/** In pieces of all sizes; the request behind the bulk arrives as any other. */
void takesWhatWasLeftAndNoMore() {
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admitWithBulk(server, port, &client);
  const std::string all = pattern(kBulkBytes) + "the next request";
  size_t sent = 0;
  std::string taken, rest;
  size_t piece = 1;
  while (rest.size() < all.size() - kBulkBytes) {
    if (sent < all.size()) sent += client.trySend(all, sent);
    for (const Event& event : server.turn()) {
      CHECK(event.id == id);
      if (taken.size() < kBulkBytes) {
        CHECK(event.kind == kEventReadable);
        piece = piece * 7 % 300'007 + 1;
        taken += take(server, id, piece);
      } else {
        CHECK(event.kind == kEventData);
        rest += event.data;
      }
    }
  }
  CHECK(taken == all.substr(0, kBulkBytes) && rest == "the next request");
  CHECK(server.reactor().counters().bytesIn == all.size());
}

void nothingThereOrNothingLeft() {
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admitWithBulk(server, port, &client, 10);
  CHECK(take(server, id, 100).empty());
  CHECK(server.turnUntilQuiet().empty());
  client.send("0123456789 and more");
  CHECK(server.await(kEventReadable).id == id);
  CHECK(take(server, id, 0).empty());
  CHECK(take(server, id, 100) == "0123456789");
  CHECK(take(server, id, 100).empty());  // what follows is not for it
  CHECK(server.await(kEventData).data == " and more");
  // Taken back, and for ids that nobody has.
  server.reactor().leaveInSocket(id, 10);
  server.reactor().leaveInSocket(id, 0);
  client.send("again");
  CHECK(server.await(kEventData).data == "again");
  server.reactor().leaveInSocket(-1, 10);
  server.reactor().leaveInSocket(12'345, 10);
  CHECK(take(server, -1, 10).empty() && take(server, 12'345, 10).empty());
}

void pausedBetweenTellingAndTaking() {
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admitWithBulk(server, port, &client);
  client.send("part");
  server.await(kEventReadable);
  server.reactor().setReading(id, false);
  CHECK(take(server, id, 100).empty());
  CHECK(server.turnUntilQuiet().empty() && !server.isReady(20));
  server.reactor().setReading(id, true);
  CHECK(server.await(kEventReadable).id == id);
  CHECK(take(server, id, 100) == "part");
}

void peerFinishesInTheMiddle() {
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admitWithBulk(server, port, &client);
  client.send("part");
  client.finishSending();
  server.await(kEventReadable);
  CHECK(take(server, id, 100) == "part");
  CHECK(take(server, id, 100).empty());
  const Event closed = server.await(kEventClosed);
  CHECK(closed.id == id && closed.first == 0);
  CHECK(client.awaitEnd());
}

/** What is queued for a peer that finished in the middle is still sent. */
void peerFinishesBeforeItsReplies() {
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admit(server, port, &client);
  const std::string block = pattern(1 << 20);
  for (int count = 0; count < 16; count++) server.reply(id, block);
  server.turnUntilQuiet();
  server.reactor().leaveInSocket(id, kBulkBytes);
  client.finishSending();
  server.await(kEventReadable);
  CHECK(take(server, id, 100).empty());
  CHECK(!server.isReady(20));
  bool closed = false;
  while (client.receive()) {
    for (const Event& event : server.turn()) {
      CHECK(event.kind == kEventClosed && event.id == id && event.first == 0);
      closed = true;
    }
  }
  CHECK(closed && client.received.size() == 16 * block.size());
}

void resetInTheMiddle() {
  Server server;
  const int port = server.listen();
  for (const bool told : {false, true}) {
    Client client;
    const int32_t id = admitWithBulk(server, port, &client);
    client.send("part");
    if (told) server.await(kEventReadable);
    client.reset();
    // What had come before the reset may still be taken.
    while (told && !take(server, id, 100).empty()) {
    }
    const Event closed = server.await(kEventClosed);
    CHECK(closed.id == id && closed.first == ECONNRESET);
    CHECK(take(server, id, 100).empty());
  }
}

/** The next owner of an id begins afresh. */
void closedInTheMiddle() {
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admitWithBulk(server, port, &client);
  client.send("part");
  server.await(kEventReadable);
  server.reactor().close(id);
  CHECK(take(server, id, 100).empty());
  CHECK(server.await(kEventClosed).id == id);
  server.turnUntilQuiet();
  Client next;
  CHECK(admit(server, port, &next) == id);
  next.send("PING");
  CHECK(server.await(kEventData).data == "PING");
}

/** Forty peers whose bulks never end: told a few per turn, all alike, and a newcomer is served. */
void fairAmongBulks() {
  Server server;
  const int port = server.listen();
  constexpr size_t kPeers = 40;
  std::vector<Client> clients(kPeers);
  std::vector<size_t> told(kPeers + 8, 0);
  for (Client& client : clients) {
    admitWithBulk(server, port, &client, 1 << 30);
    client.send(std::string(4096, 'x'));
  }
  for (int turns = 0; turns < 300; turns++) {
    const std::vector<Event> events = server.turn();
    CHECK(events.size() <= static_cast<size_t>(kReadablesPerTurnMax));
    for (const Event& event : events) {
      CHECK(event.kind == kEventReadable);
      CHECK(take(server, event.id, 1).size() == 1);
      told[static_cast<size_t>(event.id)]++;
    }
  }
  std::sort(told.begin(), told.end());
  CHECK(told[told.size() - kPeers] > 0 && told.back() - told[told.size() - kPeers] <= 1);

  Client newcomer = Client::tcp(port);
  newcomer.send("PING");
  int turns = 0;
  for (bool served = false; !served; turns++) {
    for (const Event& event : server.turn()) served = served || event.data == "PING";
  }
  CHECK(turns <= 9);  // a batch of 40 takes three; one to admit it, one to read from it
}

}  // namespace

std::vector<TestCase> receiveTests() {
  return {{"receive: what was left in the socket, and no more", takesWhatWasLeftAndNoMore},
          {"receive: nothing there, nothing left, nobody", nothingThereOrNothingLeft},
          {"receive: paused between telling and taking", pausedBetweenTellingAndTaking},
          {"receive: the peer finishes in the middle", peerFinishesInTheMiddle},
          {"receive: the peer finishes before its replies", peerFinishesBeforeItsReplies},
          {"receive: reset in the middle", resetInTheMiddle},
          {"receive: closed in the middle", closedInTheMiddle},
          {"receive: forty bulks and a newcomer", fairAmongBulks}};
}

}  // namespace stillframe::test

// Bytes in and out: order, splitting, queues, fairness, pausing.
#include <csignal>

#include <sys/mman.h>

#include "reactor_harness.h"

namespace stillframe::test {

namespace {

void echoSplitAtAnyByte() {
  Server server;
  const int port = server.listen();
  const std::string request = "*1\r\n$4\r\nPING\r\nSET a b\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
  for (size_t split = 1; split < request.size(); split++) {
    Client client;
    const int32_t id = admit(server, port, &client);
    client.send(request.substr(0, split));
    const Event first = server.await(kEventData);
    CHECK(first.id == id && first.data == request.substr(0, split));
    server.reply(id, first.data);
    client.send(request.substr(split));
    const Event second = server.await(kEventData);
    CHECK(second.id == id && second.data == request.substr(split));
    server.reply(id, second.data);
    server.echoUntil([&] { return client.receive() && client.received.size() == request.size(); });
    CHECK(client.received == request);
    client.close();
    CHECK(server.await(kEventClosed).id == id);
  }
}

void thousandConnections() {
  Server server;
  const int port = server.listen(1024);
  std::vector<Client> clients(1000);
  for (Client& client : clients) client = Client::tcp(port);
  for (size_t round = 0; round < 5; round++) {
    for (size_t index = 0; index < clients.size(); index++) {
      clients[index].send("round " + std::to_string(round) + " of " + std::to_string(index));
    }
    server.echoUntil([&] {
      size_t answered = 0;
      for (Client& client : clients) {
        CHECK(client.receive());
        answered += client.received.empty() ? 0 : 1;
      }
      return answered == clients.size();
    });
    for (size_t index = 0; index < clients.size(); index++) {
      CHECK(clients[index].received ==
            "round " + std::to_string(round) + " of " + std::to_string(index));
      clients[index].received.clear();
    }
  }
  CHECK(server.reactor().counters().accepted == 1000);
}

/** 64 MB for a peer that reads nothing, then everything: exact accounting, order, one drained
 *  event, memory given back. */
void slowReader() {
  Server server;
  const int port = server.listen();
  Client client, other;
  const int32_t id = admit(server, port, &client);
  const int32_t otherId = admit(server, port, &other);
  const std::string block = pattern(1 << 20);
  const size_t blocks = 64;
  for (size_t count = 0; count < blocks; count++) {
    server.reply(id, block);
    server.turn();
  }
  const uint64_t sent = server.reactor().counters().bytesOut;
  CHECK(server.reactor().queuedBytes(id) == blocks * block.size() - sent);
  CHECK(server.reactor().queuedBytes(id) > 32u << 20);
  CHECK(server.reactor().queuedBytesTotal() == server.reactor().queuedBytes(id));
  CHECK(!server.isReady());  // a full socket is no reason to run
  CHECK(server.reactor().mappedChunks() * Chunk::kMappingBytes < 70u << 20);

  // It delays nobody.
  other.send("hello");
  const Event event = server.await(kEventData);
  CHECK(event.id == otherId && event.data == "hello");

  // Bytes from elsewhere keep their place behind the queue.
  server.reactor().send(id, reinterpret_cast<const uint8_t*>("the end"), 7);
  size_t drained = 0;
  while (client.received.size() < blocks * block.size() + 7) {
    CHECK(client.receive());
    for (const Event& each : server.turn()) {
      CHECK(each.id == id && each.kind == kEventDrained);
      CHECK(server.reactor().queuedBytes(id) == 0);
      drained++;
    }
  }
  CHECK(drained == 1);
  for (size_t count = 0; count < blocks; count++) {
    CHECK(client.received.compare(count * block.size(), block.size(), block) == 0);
  }
  CHECK(client.received.substr(blocks * block.size()) == "the end");
  CHECK(server.reactor().queuedBytesTotal() == 0);
  CHECK(server.reactor().mappedChunks() <= ChunkPool::kFreeChunksMax);
  CHECK(!server.isReady());
}

/** Odd piece sizes through a queue that never empties: nothing lost, doubled or reordered. */
void oddSizedPieces() {
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admit(server, port, &client);
  const std::string all = pattern(24 << 20, 7);
  size_t given = 0;
  size_t piece = 1;
  while (client.received.size() < all.size()) {
    for (int count = 0; count < 20 && given < all.size(); count++) {
      piece = piece * 7 % 65'521 + 1;
      const std::string bytes = all.substr(given, piece);
      server.reply(id, bytes);
      given += bytes.size();
    }
    server.turn();
    if (given == all.size() || server.reactor().queuedBytes(id) > 8u << 20) client.receive();
  }
  CHECK(client.received == all);
}

/** Forty peers send without end into a small input buffer: all are read alike, and a newcomer's
 *  single request is served within three batches. Over Unix sockets, which are refilled at once;
 *  with TCP the windows of the peers would have a say. */
void fairUnderFlood() {
  Folder folder;
  Server server({64 * 1024, 1 << 20, 16 * 1024});
  SystemFailure failure;
  CHECK(server.reactor().listenUnix(folder / "sock", -1, 64, &failure) >= 0);
  constexpr size_t kFlooders = 40;
  std::vector<Client> flooders(kFlooders);
  std::vector<int32_t> ids(kFlooders);
  for (size_t index = 0; index < kFlooders; index++) {
    flooders[index] = Client::local(folder / "sock");
    ids[index] = server.await(kEventAccepted).id;
  }
  const std::string flood(1 << 20, 'x');
  const auto fill = [&] {
    for (Client& client : flooders) client.trySend(flood);
  };
  fill();
  std::vector<size_t> bytes(kFlooders + 8, 0);
  for (int turns = 0; turns < 400; turns++) {
    for (const Event& event : server.turn()) {
      CHECK(event.kind == kEventData && event.data.size() <= 16 * 1024);
      bytes[static_cast<size_t>(event.id)] += event.data.size();
    }
    fill();
  }
  size_t least = SIZE_MAX, most = 0;
  for (const int32_t id : ids) {
    least = std::min(least, bytes[static_cast<size_t>(id)]);
    most = std::max(most, bytes[static_cast<size_t>(id)]);
  }
  CHECK(least > 0 && most - least <= 16 * 1024);

  // 64 KiB a turn over 40 peers of 16 KiB: a batch takes 10 to 11 turns.
  Client newcomer = Client::local(folder / "sock");
  newcomer.send("PING");
  int turns = 0;
  for (bool served = false; !served; turns++) {
    for (const Event& event : server.turn()) served = served || event.data == "PING";
    fill();
  }
  CHECK(turns <= 36);
}

void pauseAndResume() {
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admit(server, port, &client);
  server.reactor().setReading(id, false);
  client.send("one");
  CHECK(server.turnUntilQuiet().empty() && !server.isReady(20));
  server.reply(id, "still answering");
  server.echoUntil([&] { return client.receive() && client.received == "still answering"; });
  server.reactor().setReading(id, true);
  CHECK(server.await(kEventData).data == "one");
  // Both states may be set again and again, and on dead ids.
  server.reactor().setReading(id, true);
  server.reactor().setReading(12'345, false);
  server.reactor().setReading(-1, false);
}

/** Paused between the kernel's report and its turn: the rest of a batch obeys. */
void pauseInsideBatch() {
  Server server({4096, 1 << 20, 4096});
  const int port = server.listen();
  Client first, second;
  const int32_t ids[2] = {admit(server, port, &first), admit(server, port, &second)};
  first.send(std::string(4096, 'a'));
  second.send(std::string(4096, 'b'));
  CHECK(server.isReady(kWaitMillis));
  const std::vector<Event> events = server.turn();  // the input buffer is full: one stays in line
  CHECK(events.size() == 1);
  const int32_t waiting = events[0].id == ids[0] ? ids[1] : ids[0];
  server.reactor().setReading(waiting, false);
  CHECK(server.turnUntilQuiet().empty());
  server.reactor().setReading(waiting, true);
  CHECK(server.await(kEventData).id == waiting);
}

/** What a turn leaves undone keeps the epoll descriptor readable: nothing waits for a stranger. */
void nothingForgottenAfterLeaving() {
  Server server({8192, 1 << 20, 8192});
  const int port = server.listen();
  std::vector<Client> clients(8);
  for (Client& client : clients) admit(server, port, &client);
  CHECK(!server.isReady());
  for (Client& client : clients) client.send(std::string(8192, 'x'));
  size_t received = 0;
  while (received < 8 * 8192) {
    CHECK(server.isReady(kWaitMillis));  // a loop that leaves after every single turn
    for (const Event& event : server.turn()) received += event.data.size();
  }
}

void refusesBadRows() {
  Server server({1 << 20, 4096, 65536});
  const int port = server.listen();
  Client client;
  const int32_t id = admit(server, port, &client);
  const int32_t bad[][3] = {{id, 0, 4097}, {id, 4096, 1}, {id, -1, 1}, {id, 0, -1}, {id, 5000, 0}};
  for (const auto& row : bad) {
    std::copy(row, row + 3, server.sends().begin());
    CHECK(server.reactor().turn(1) == Reactor::kBadSend);
    CHECK(!server.reactor().flush(1));
  }
  CHECK(server.reactor().turn(kSendsMax + 1) == Reactor::kBadSend);
  // Ids that nobody has are no error: their connections may just have ended.
  const int32_t strangers[][3] = {{-1, 0, 4}, {77, 0, 4}, {INT32_MAX, 0, 4}, {INT32_MIN, 0, 4}};
  for (const auto& row : strangers) {
    std::copy(row, row + 3, server.sends().begin());
    CHECK(server.reactor().turn(1) == 0);
  }
  CHECK(server.reactor().counters().bytesOut == 0);
}

uint8_t* g_absent = nullptr;
void makePresent(int) { mprotect(g_absent, 1 << 16, PROT_READ | PROT_WRITE); }

/** Memory that the kernel may not touch but user code can make present (a lazily restored arena):
 *  the reactor copies it instead of failing. */
void sendsWhatTheKernelCannotRead() {
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admit(server, port, &client);
  const std::string text = pattern(1 << 16, 3);
  g_absent = static_cast<uint8_t*>(mmap(nullptr, text.size(), PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  std::copy(text.begin(), text.end(), g_absent);
  CHECK(mprotect(g_absent, text.size(), PROT_NONE) == 0);
  struct sigaction action = {}, before = {};
  action.sa_handler = makePresent;
  CHECK(sigaction(SIGSEGV, &action, &before) == 0);
  server.reactor().send(id, g_absent, text.size());
  CHECK(sigaction(SIGSEGV, &before, nullptr) == 0);
  CHECK(server.await(kEventDrained).id == id);
  server.echoUntil([&] { return client.receive() && client.received.size() == text.size(); });
  CHECK(client.received == text);
  munmap(g_absent, text.size());
}

}  // namespace

std::vector<TestCase> dataTests() {
  return {{"echo: pipelines split at any byte", echoSplitAtAnyByte},
          {"echo: a thousand connections", thousandConnections},
          {"queue: 64 MB for a slow reader", slowReader},
          {"queue: odd-sized pieces keep their order", oddSizedPieces},
          {"fairness: forty flooding peers and a newcomer", fairUnderFlood},
          {"reading: pause and resume", pauseAndResume},
          {"reading: pause inside a batch", pauseInsideBatch},
          {"turn: nothing forgotten after leaving the loop", nothingForgottenAfterLeaving},
          {"send: bad rows are refused, unknown ids ignored", refusesBadRows},
          {"send: memory the kernel cannot read", sendsWhatTheKernelCannotRead}};
}

}  // namespace stillframe::test

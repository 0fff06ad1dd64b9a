// Looking for the next request before the loop sleeps: when it is tried, and that it neither loses
// nor delays anything.
#include <poll.h>

#include <chrono>
#include <thread>

#include "reactor_harness.h"

namespace stillframe::test {

namespace {

constexpr int32_t kConnection = 7;

/** How many of so many opportunities are taken. */
int taken(SpinBudget& budget, int opportunities, void (SpinBudget::*outcome)()) {
  int spins = 0;
  for (int i = 0; i < opportunities; i++) {
    budget.note(1, kConnection);
    if (!budget.allows()) continue;
    spins++;
    (budget.*outcome)();
  }
  return spins;
}

void spinsWhereItPays() {
  constexpr int kMany = 100 * SpinBudget::kRetry;
  SpinBudget budget;
  CHECK(taken(budget, SpinBudget::kAloneTurns - 1, &SpinBudget::hit) == 0);
  // Clients that do not answer soon: a try now and then.
  const int tries = taken(budget, kMany, &SpinBudget::miss);
  CHECK(tries > 0 && tries <= kMany / SpinBudget::kRetry + 1);
  // They begin to: within a few tries it is always done.
  taken(budget, kMany, &SpinBudget::hit);
  CHECK(taken(budget, kMany, &SpinBudget::hit) == kMany);
  // And stop: what was earned is soon spent.
  CHECK(taken(budget, SpinBudget::kCreditMax, &SpinBudget::miss) <= SpinBudget::kCreditMax / 2 + 1);
  CHECK(taken(budget, kMany, &SpinBudget::miss) <= kMany / SpinBudget::kRetry + 1);
}

void onlyForOneClient() {
  SpinBudget budget;
  taken(budget, 100 * SpinBudget::kRetry, &SpinBudget::hit);
  CHECK(budget.allows());
  budget.note(0, kConnection + 1);  // a turn without replies says nothing
  CHECK(budget.allows());
  for (const bool isAnother : {false, true}) {
    if (isAnother) budget.note(1, kConnection + 1);
    budget.note(isAnother ? 1 : 2, kConnection);
    CHECK(!budget.allows());
    CHECK(taken(budget, SpinBudget::kAloneTurns - 1, &SpinBudget::hit) == 0);
    CHECK(taken(budget, 1, &SpinBudget::hit) == 1);
  }
}

void waitReadable(int fd) {
  pollfd wanted = {fd, POLLIN, 0};
  CHECK(poll(&wanted, 1, kWaitMillis) == 1);
}

/** One round trip after the other with another thread, inside the caller's loop as in a server. */
void answersOneClientAtATime() {
  constexpr int kRounds = 2000;
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admit(server, port, &client);
  std::thread peer([&] {
    for (size_t round = 0; round < kRounds; round++) {
      client.send("request");
      while (client.received.size() < (round + 1) * 5) {
        waitReadable(client.fd());
        CHECK(client.receive());
      }
    }
  });
  int answered = 0;
  while (answered < kRounds) {
    CHECK(server.isReady(kWaitMillis));
    server.reactor().enterLoop();
    for (std::vector<Event> events = server.turn(); !events.empty(); events = server.turn()) {
      for (const Event& event : events) {
        CHECK(event.kind == kEventData && event.data == "request");
        server.reply(id, "reply");
        answered++;
      }
    }
    server.reactor().leaveLoop();
  }
  peer.join();
  CHECK(client.received.size() == kRounds * 5);
}

/** However often a reply brings nothing back, a turn that waits for it ends, and quickly. */
void silentClientDelaysLittle() {
  constexpr int kRounds = 1000;
  Server server;
  const int port = server.listen();
  Client client;
  const int32_t id = admit(server, port, &client);
  const auto start = std::chrono::steady_clock::now();
  server.reactor().enterLoop();
  for (int round = 0; round < kRounds; round++) {
    server.reply(id, "news");
    CHECK(server.turn().empty());
  }
  server.reactor().leaveLoop();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  CHECK(passed.count() < 5);
  CHECK(server.turn().empty());
}

}  // namespace

std::vector<TestCase> spinTests() {
  return {{"spins_where_it_pays", spinsWhereItPays},
          {"spins_for_one_client_only", onlyForOneClient},
          {"one_client_at_a_time", answersOneClientAtATime},
          {"silent_client_delays_little", silentClientDelaysLittle}};
}

}  // namespace stillframe::test

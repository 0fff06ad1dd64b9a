// Open-loop load: SETs or GETs of random keys at a fixed rate, whatever the server does.
//
//   open_loop PORT VERB PER_TICK TICK_NANOS PIPELINE CONNECTIONS KEYS VALUE_BYTES SECONDS_MAX SEED
//             FILE
//
// Every tick a burst of PER_TICK requests is due: chunks of PIPELINE requests, each chunk written
// at once to one connection, the connections in turn. A request's latency runs from the tick at
// which its burst was due, not from when it could be written: a server (or this program) that falls
// behind makes later requests late too, and that counts (no coordinated omission).
//
// Chunks and replies need no bookkeeping: chunk c goes to connection c % CONNECTIONS, so the k-th
// reply on connection i is for request k % PIPELINE of chunk i + (k / PIPELINE) * CONNECTIONS.
//
// Prints one line of JSON when it starts to send (CLOCK_MONOTONIC of tick 0, which is also Node's
// process.hrtime), runs until its standard input ends or SECONDS_MAX is over, waits for the replies
// and writes to FILE, little-endian:
//
//   u32 micros[bursts * PER_TICK]   latency of each request; UINT32_MAX: no reply came
//   u32 lateMicros[bursts]          how late the burst was written: the error of this program
//
// One thread, its memory touched before the start. SET must answer +OK, GET the value that
// bench/load/loader.ts sets; any other reply ends the program.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr uint64_t kNanos = 1'000'000'000;
constexpr int kDigits = 12;  // keys are `key:` and 12 digits, as bench/load/loader.ts makes them
constexpr uint64_t kDrainNanos = 5 * kNanos;
constexpr uint32_t kNoReply = UINT32_MAX;

[[noreturn]] void fail(const char* what) {
  fprintf(stderr, "open_loop: %s: %s\n", what, strerror(errno));
  exit(1);
}

uint64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * kNanos + static_cast<uint64_t>(time.tv_nsec);
}

struct Options {
  int port;
  bool set;  // else get
  uint64_t perBurst, tickNanos, pipeline, connections, keys, valueBytes, secondsMax, seed;
  const char* file;

  std::string reply() const {
    if (set) return "+OK\r\n";
    return "$" + std::to_string(valueBytes) + "\r\n" + std::string(valueBytes, 'v') + "\r\n";
  }
};

struct Connection {
  int descriptor = -1;
  uint64_t replies = 0;
  size_t replyOffset = 0;  // within a reply that came in part
  std::string unsent;      // what the socket did not take
  bool awaitsOut = false;
};

// The bytes of one chunk, in which only the digits of the keys change.
class Chunk {
 public:
  explicit Chunk(const Options& options) : keys_(options.keys), random_(options.seed * 2 + 1) {
    const std::string size = std::to_string(options.valueBytes);
    const std::string head = options.set ? "*3\r\n$3\r\nSET\r\n$16\r\nkey:"
                                         : "*2\r\n$3\r\nGET\r\n$16\r\nkey:";
    const std::string value = "$" + size + "\r\n" + std::string(options.valueBytes, 'v') + "\r\n";
    const std::string request =
        head + std::string(kDigits, '0') + "\r\n" + (options.set ? value : "");
    for (uint64_t i = 0; i < options.pipeline; i++) bytes_ += request;
    requestBytes_ = request.size();
    digitsAt_ = head.size();
  }

  const std::string& next() {
    for (size_t at = digitsAt_; at < bytes_.size(); at += requestBytes_) {
      uint64_t rest = nextRandom() % keys_;
      for (int digit = kDigits - 1; digit >= 0; digit--, rest /= 10) {
        bytes_[at + static_cast<size_t>(digit)] = static_cast<char>('0' + rest % 10);
      }
    }
    return bytes_;
  }

 private:
  uint64_t nextRandom() {  // xorshift64*
    random_ ^= random_ >> 12;
    random_ ^= random_ << 25;
    random_ ^= random_ >> 27;
    return (random_ * 0x2545F4914F6CDD1DULL) >> 16;
  }

  std::string bytes_;
  size_t requestBytes_, digitsAt_;
  uint64_t keys_, random_;
};

class OpenLoop {
 public:
  explicit OpenLoop(const Options& options)
      : options_(options),
        reply_(options.reply()),
        chunk_(options),
        perBurst_(options.perBurst),
        burstsMax_(options.secondsMax * kNanos / options.tickNanos),
        latency_(burstsMax_ * perBurst_, kNoReply),
        late_(burstsMax_, 0),
        connections_(options.connections) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (epoll_ < 0 || timer_ < 0) fail("epoll, timerfd");
    watch(STDIN_FILENO, kInput, EPOLLIN, EPOLL_CTL_ADD);
    watch(timer_, kTimer, EPOLLIN, EPOLL_CTL_ADD);
    for (size_t i = 0; i < connections_.size(); i++) open(i);
  }

  void run() {
    // The first tick lies ahead, so that the first burst is not late.
    start_ = now() + 50 * options_.tickNanos;
    setTimer();
    printf("{\"startNanos\":\"%llu\",\"tickNanos\":%llu,\"perBurst\":%llu}\n",
           static_cast<unsigned long long>(start_),
           static_cast<unsigned long long>(options_.tickNanos),
           static_cast<unsigned long long>(perBurst_));
    fflush(stdout);
    while (!stopped_ || (answered_ < bursts_ * perBurst_ && now() < drainUntil_)) turn();
    write();
  }

 private:
  static constexpr uint64_t kInput = UINT64_MAX;
  static constexpr uint64_t kTimer = UINT64_MAX - 1;
  static constexpr int kEventsMax = 64;

  void watch(int descriptor, uint64_t id, uint32_t events, int operation) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = id;
    if (epoll_ctl(epoll_, operation, descriptor, &event) != 0) fail("epoll_ctl");
  }

  void open(size_t index) {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(options_.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      fail("connect");
    }
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    connections_[index].descriptor = descriptor;
    watch(descriptor, index, EPOLLIN, EPOLL_CTL_ADD);
  }

  void setTimer() {
    itimerspec times{};
    times.it_value = {static_cast<time_t>(start_ / kNanos), static_cast<long>(start_ % kNanos)};
    times.it_interval = {static_cast<time_t>(options_.tickNanos / kNanos),
                         static_cast<long>(options_.tickNanos % kNanos)};
    if (timerfd_settime(timer_, TFD_TIMER_ABSTIME, &times, nullptr) != 0) fail("timerfd_settime");
  }

  void turn() {
    epoll_event events[kEventsMax];
    const int count = epoll_wait(epoll_, events, kEventsMax, 100);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; i++) {
      const uint64_t id = events[i].data.u64;
      if (id == kInput) {
        stop();
      } else if (id == kTimer) {
        uint64_t ticks;
        if (::read(timer_, &ticks, sizeof ticks) < 0 && errno != EAGAIN) fail("read timer");
        sendDue();
      } else {
        if ((events[i].events & EPOLLOUT) != 0) flush(id);
        if ((events[i].events & ~uint32_t{EPOLLOUT}) != 0) receive(connections_[id], id);
      }
    }
  }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    drainUntil_ = now() + kDrainNanos;
    epoll_ctl(epoll_, EPOLL_CTL_DEL, STDIN_FILENO, nullptr);
  }

  void sendDue() {
    for (;;) {
      const uint64_t due = start_ + bursts_ * options_.tickNanos;
      const uint64_t time = now();
      if (stopped_ || time < due) return;
      if (bursts_ == burstsMax_) return stop();
      late_[bursts_] = static_cast<uint32_t>((time - due) / 1000);
      bursts_++;
      for (uint64_t sent = 0; sent < perBurst_; sent += options_.pipeline) sendChunk();
    }
  }

  void sendChunk() {
    const uint64_t index = chunks_++ % connections_.size();
    Connection& connection = connections_[index];
    const bool waits = !connection.unsent.empty();  // then EPOLLOUT is awaited
    connection.unsent += chunk_.next();
    if (!waits) flush(index);
  }

  // Called with bytes to send and no EPOLLOUT awaited, or when EPOLLOUT came.
  void flush(uint64_t index) {
    Connection& connection = connections_[index];
    const ssize_t sent = ::send(connection.descriptor, connection.unsent.data(),
                                connection.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) fail("send");
    if (sent > 0) connection.unsent.erase(0, static_cast<size_t>(sent));
    const bool waits = !connection.unsent.empty();
    if (waits == connection.awaitsOut) return;
    connection.awaitsOut = waits;
    watch(connection.descriptor, index, waits ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
  }

  void receive(Connection& connection, uint64_t index) {
    const ssize_t got = ::recv(connection.descriptor, input_, sizeof input_, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) fail("recv");
    if (got == 0) {
      errno = ECONNRESET;
      fail("the server closed a connection");
    }
    const uint64_t time = now();
    for (ssize_t i = 0; i < got; i++) {
      if (input_[i] != reply_[connection.replyOffset]) {
        const int left = static_cast<int>(got - i);
        fprintf(stderr, "open_loop: a request failed: %.*s\n", left, input_ + i);
        exit(1);
      }
      if (++connection.replyOffset < reply_.size()) continue;
      connection.replyOffset = 0;
      note(connection.replies++, index, time);
    }
  }

  void note(uint64_t reply, uint64_t index, uint64_t time) {
    const uint64_t chunk = index + reply / options_.pipeline * connections_.size();
    const uint64_t request = chunk * options_.pipeline + reply % options_.pipeline;
    const uint64_t due = start_ + request / perBurst_ * options_.tickNanos;
    latency_[request] = static_cast<uint32_t>((time - due) / 1000);
    answered_++;
  }

  void write() {
    FILE* file = fopen(options_.file, "wb");
    if (file == nullptr) fail(options_.file);
    fwrite(latency_.data(), sizeof(uint32_t), bursts_ * perBurst_, file);
    fwrite(late_.data(), sizeof(uint32_t), bursts_, file);
    if (fclose(file) != 0) fail(options_.file);
    printf("{\"bursts\":%llu}\n", static_cast<unsigned long long>(bursts_));
  }

  const Options options_;
  const std::string reply_;
  Chunk chunk_;
  const uint64_t perBurst_, burstsMax_;
  std::vector<uint32_t> latency_, late_;
  std::vector<Connection> connections_;
  int epoll_ = -1, timer_ = -1;
  uint64_t start_ = 0, bursts_ = 0, chunks_ = 0, answered_ = 0, drainUntil_ = 0;
  bool stopped_ = false;
  char input_[64 * 1024];
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 12) {
    fputs("open_loop PORT VERB PER_TICK TICK_NANOS PIPELINE CONNECTIONS KEYS VALUE_BYTES "
          "SECONDS_MAX SEED FILE\n",
          stderr);
    return 1;
  }
  const auto number = [&](int index) { return strtoull(arguments[index], nullptr, 10); };
  const Options options{static_cast<int>(number(1)),
                        strcmp(arguments[2], "SET") == 0,
                        number(3),
                        number(4),
                        number(5),
                        number(6),
                        number(7),
                        number(8),
                        number(9),
                        number(10),
                        arguments[11]};
  if (options.perBurst == 0 || options.pipeline == 0 || options.perBurst % options.pipeline != 0) {
    fprintf(stderr, "open_loop: PER_TICK must be a multiple of PIPELINE\n");
    return 1;
  }
  static OpenLoop loop(options);
  loop.run();
  return 0;
}

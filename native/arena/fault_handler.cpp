#include "arena/fault_handler.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

#include "arena/test_points.h"

namespace stillframe {

// The handler and its table. The handler is installed once per signal and stays: another library
// may have chained to it, and the addon's code stays mapped (see binding.gyp, z,nodelete).
struct FaultDispatch {
  using Slot = FaultRegistration::Slot;
  using Region = FaultRegistration::Region;

  static Slot slots[FaultRegistration::kArenasMax];
  static std::atomic<size_t> slotsUsed;  // slots below this index were in use at some time
  static std::mutex registering;         // never taken by the handler
  struct Installed {
    bool done = false;
    struct sigaction previous {};
  };
  static Installed installed[2];  // SIGBUS, SIGSEGV

  static Installed& installedFor(int signalNumber) {
    return installed[signalNumber == SIGBUS ? 0 : 1];
  }

  static void handle(int signalNumber, siginfo_t* info, void* context);
  static void chain(int signalNumber, siginfo_t* info, void* context);
  static Status install(int signalNumber);
};

FaultDispatch::Slot FaultDispatch::slots[FaultRegistration::kArenasMax];
std::atomic<size_t> FaultDispatch::slotsUsed{0};
std::mutex FaultDispatch::registering;
FaultDispatch::Installed FaultDispatch::installed[2];

void FaultDispatch::handle(int signalNumber, siginfo_t* info, void* context) {
  const int savedErrno = errno;
  testPoint(TestPoint::handlerEntered);
  bool resolved = false;
  // BUS_ADRERR, SEGV_ACCERR: the kernel refused an access. Damaged memory (BUS_MCEERR_*) and
  // signals sent by kill(2) (si_code <= 0) are not ours even inside an arena.
  const int refused = signalNumber == SIGBUS ? int{BUS_ADRERR} : int{SEGV_ACCERR};
  const bool refusedAccess = info->si_code == refused;
  const uintptr_t address = reinterpret_cast<uintptr_t>(info->si_addr);
  const size_t used = refusedAccess ? slotsUsed.load(std::memory_order_acquire) : 0;
  for (size_t i = 0; i < used && !resolved; i++) {
    Slot& slot = slots[i];
    // Count first, look second; close() clears first, waits second. Both are sequentially
    // consistent, so either the handler sees the cleared slot or close() sees the handler.
    slot.inside.fetch_add(1, std::memory_order_seq_cst);
    const Region* region = slot.region.load(std::memory_order_seq_cst);
    const bool found = region != nullptr && address - region->base < region->bytes;
    if (found) resolved = region->sink->onWriteFault(address - region->base);
    slot.inside.fetch_sub(1, std::memory_order_seq_cst);
    if (found) break;
  }
  if (!resolved) chain(signalNumber, info, context);
  errno = savedErrno;
}

void FaultDispatch::chain(int signalNumber, siginfo_t* info, void* context) {
  const struct sigaction& previous = installedFor(signalNumber).previous;
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signalNumber, info, context);
    return;
  }
  const bool sentByProcess = info->si_code <= 0;
  if (previous.sa_handler == SIG_IGN && sentByProcess) return;
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signalNumber);
    return;
  }
  // Default action: put it back and return. The faulting instruction runs again and the process
  // dies there, with its true address in the core. A sent signal does not come again by itself.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigaction(signalNumber, &standard, nullptr);
  if (sentByProcess) syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signalNumber);
}

Status FaultDispatch::install(int signalNumber) {
  Installed& entry = installedFor(signalNumber);
  if (entry.done) return Status();
  // `previous` must be known before the handler can run, hence two calls.
  if (sigaction(signalNumber, nullptr, &entry.previous) != 0) {
    return Status::systemCall("sigaction", errno, "reading the present fault handler");
  }
  struct sigaction action {};
  action.sa_sigaction = handle;
  // On the ordinary stack: it may be any thread's, and the handler needs about 5 KiB. All signals
  // wait meanwhile, so that nothing nests and pwrite is not interrupted.
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigfillset(&action.sa_mask);
  if (sigaction(signalNumber, &action, nullptr) != 0) {
    return Status::systemCall("sigaction", errno, "installing the fault handler");
  }
  entry.done = true;
  return Status();
}

Status FaultRegistration::open(uint8_t* base, size_t bytes, int signalNumber, FaultSink& sink) {
  close();
  const std::lock_guard<std::mutex> lock(FaultDispatch::registering);
  Status status = FaultDispatch::install(signalNumber);
  if (!status.ok()) return status;
  for (size_t i = 0; i < kArenasMax; i++) {
    Slot& slot = FaultDispatch::slots[i];
    if (slot.region.load(std::memory_order_relaxed) != nullptr) continue;
    region_ = {reinterpret_cast<uintptr_t>(base), bytes, &sink};
    slot_ = &slot;
    slot.region.store(&region_, std::memory_order_seq_cst);
    if (FaultDispatch::slotsUsed.load(std::memory_order_relaxed) < i + 1) {
      FaultDispatch::slotsUsed.store(i + 1, std::memory_order_release);
    }
    return Status();
  }
  return Status::failure("a process can hold " + std::to_string(kArenasMax) +
                         " arenas at a time and all of them are open: close one first");
}

void FaultRegistration::close() {
  if (slot_ == nullptr) return;
  const std::lock_guard<std::mutex> lock(FaultDispatch::registering);
  slot_->region.store(nullptr, std::memory_order_seq_cst);
  waitForHandlers();
  slot_ = nullptr;
}

void FaultRegistration::waitForHandlers() const {
  if (slot_ == nullptr) return;
  while (slot_->inside.load(std::memory_order_seq_cst) != 0) sched_yield();
}

}  // namespace stillframe

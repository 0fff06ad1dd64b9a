// Whether to look for the next request for some microseconds before the loop sleeps.
//
// A client that waits for each reply sends its next request soon after it. To sleep in between and
// be woken costs both sides more than the request does, where an idle core has to be started again
// (a virtual machine above all). So after a reply the reactor may ask epoll again and again for a
// moment. That pays only where the request comes in that moment, and the past tells:
//
//   credit   0 ------------------------- kCreditMax
//            asleep at once,             a hit is worth 1, a miss costs 2: two of three
//            but for one try in kRetry   spins have to find something
//
// A server whose clients come slower, or cannot run because there is no other core, soon has no
// credit and spends kSpinNanos in kRetry wake-ups. Among several clients the next request comes by
// itself, and sleeping gathers more into a turn, which makes each cheaper: no spin until
// kAloneTurns turns in a row have replied to one client, the same. No clock and no system call in
// here.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace stillframe {

class SpinBudget {
 public:
  /** How long one spin lasts at most. */
  static constexpr int64_t kSpinNanos = 50'000;
  static constexpr int kCreditMax = 16;
  static constexpr int kRetry = 512;
  static constexpr int kAloneTurns = 32;

  /** Of every turn: how many replies it sent, and to whom the first. */
  void note(size_t sends, int32_t connection) {
    if (sends == 0) return;
    if (sends > 1 || connection != connection_) {
      aloneTurns_ = 0;
    } else if (aloneTurns_ < kAloneTurns) {
      aloneTurns_++;
    }
    connection_ = connection;
  }
  /** Whether to spin now, after replies; then hit() or miss() tells what came of it. */
  bool allows() {
    if (aloneTurns_ < kAloneTurns) return false;
    if (credit_ > 0) return true;
    return ++refused_ % kRetry == 0;
  }
  void hit() { credit_ = std::min(credit_ + kHitGain, kCreditMax); }
  void miss() { credit_ = std::max(credit_ - kMissCost, 0); }

 private:
  static constexpr int kHitGain = 1;
  static constexpr int kMissCost = 2;

  int32_t connection_ = -1;
  int aloneTurns_ = 0;
  int credit_ = 0;
  uint32_t refused_ = 0;
};

}  // namespace stillframe

// Named points between the steps of the protocol in snapshot/cut.h, where the native tests can stop
// a thread for as long as they like. Compiled to nothing in the addon.
#pragma once

#ifdef STILLFRAME_TEST_POINTS
#include <atomic>
#endif

namespace stillframe {

enum class TestPoint {
  handlerEntered,   // signal delivered, not yet counted as inside
  writerLooked,     // the writer has seen the page undecided, not yet copied it
  writerCopied,     // the writer has a copy, not yet the page
  writerClaimed,    // the writer has the page, the copier does not know where the copy is
  writerSwung,      // between the two halves of the push
  writerSaved,      // all is written down, the page still protected
  copierLooked,     // the copier has seen the page undecided, not yet claimed it
  copierClaimed,    // the copier has the page, not yet a copy
  copierCopied,     // the copier has a copy, not yet decided
  copierDecided,    // all pages of an extent decided, the extent still protected
  preArmTaken,      // before the cut: notes of an extent taken, not yet protected
  preArmLetGo,      // before the cut: a writer has let a page go and not yet noted it
  count,
};

#ifdef STILLFRAME_TEST_POINTS
using TestPointHook = void (*)(TestPoint point);
inline std::atomic<TestPointHook> testPointHook{nullptr};  // must be async-signal-safe
inline void testPoint(TestPoint point) {
  const TestPointHook hook = testPointHook.load(std::memory_order_acquire);
  if (hook != nullptr) hook(point);
}
#else
inline void testPoint(TestPoint) {}
#endif

}  // namespace stillframe

// Copying a page that other threads may be writing to.
//
// The copy may be torn, and that is allowed: whoever makes it decides afterwards, with a
// compare-and-swap on the page's state, whether it counts, and the swap fails in every case where a
// write could have been seen (see cut.h). It is the read side of a sequence lock. Formally such a
// copy is a data race, so it must not be an ordinary memcpy that the compiler may move or a race
// detector must report: volatile words are read once each, in order, never across the acquire and
// release operations around them; and ThreadSanitizer, which cannot see that the kernel's page
// protection orders the writers, is told to leave this one function out.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arena/constants.h"

#if defined(__clang__) || defined(__GNUC__)
#define STILLFRAME_NO_SANITIZE_THREAD __attribute__((no_sanitize("thread"), noinline))
#endif

namespace stillframe {

STILLFRAME_NO_SANITIZE_THREAD inline void copyPage(uint8_t* target, const uint8_t* source) {
  const volatile uint64_t* from = reinterpret_cast<const volatile uint64_t*>(source);
  volatile uint64_t* to = reinterpret_cast<volatile uint64_t*>(target);
  for (size_t i = 0; i < kPageBytes / sizeof(uint64_t); i++) to[i] = from[i];
}

}  // namespace stillframe

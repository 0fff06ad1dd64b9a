// Kinds of extents in a run, as they come from TypeScript.
#pragma once

#include <cstdint>

namespace stillframe {

enum class ExtentKind : uint8_t {
  absent = 0,
  data = 1,
  denseMetadata = 2,  // where most writes land: protected last, copied first
};

}  // namespace stillframe

// The binding of the arena, its checkpoints and its restore; addon.cpp puts it into the module.
#pragma once

#include <napi.h>

namespace stillframe {

/** Adds openArena ... restoreExtents of native/index.ts to the exports, with state of their own per
 *  environment. */
void DefineArena(Napi::Env env, Napi::Object exports);

}  // namespace stillframe

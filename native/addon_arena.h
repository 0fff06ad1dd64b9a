// The binding of the arena, its checkpoints and its restore; addon.cpp puts it into the module.
#pragma once

#include <napi.h>

namespace stillframe {

/** Adds openArena ... restoreExtents of native/index.ts to the exports, with state of their own per
 *  environment. */
void DefineArena(Napi::Env env, Napi::Object exports);

/** An ArrayBuffer over memory that V8 neither owns nor may count as its own. Node counts it
 *  as memory of the heap, and would collect garbage over and over at the start (30 ms and more). */
Napi::ArrayBuffer WindowOf(Napi::Env env, uint8_t* data, size_t length);

}  // namespace stillframe

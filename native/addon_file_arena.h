// The binding of arenas that are files; addon.cpp puts it into the module.
#pragma once

#include <napi.h>

namespace stillframe {

/** Adds openFileArena of native/index.ts to the exports, with state of its own per environment. */
void DefineFileArena(Napi::Env env, Napi::Object exports);

}  // namespace stillframe

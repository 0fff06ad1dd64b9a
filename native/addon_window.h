// Memory as JavaScript sees it; used by the bindings of both kinds of arena.
#pragma once

#include <napi.h>

namespace stillframe {

/** An ArrayBuffer over memory that V8 neither owns nor counts as its own. It lives as long as the
 *  environment, and so must the memory. */
Napi::ArrayBuffer WindowOf(Napi::Env env, uint8_t* data, size_t length);

}  // namespace stillframe

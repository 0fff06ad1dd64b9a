// The reactor's part of the binding; addon.cpp puts it into the module.
#pragma once

#include <napi.h>

namespace stillframe {

/** createReactor(options): a ReactorHandle of native/index.ts, attached to the calling thread's
 *  event loop until shutdown() or the end of the environment. */
Napi::Value CreateReactor(const Napi::CallbackInfo& info);

}  // namespace stillframe

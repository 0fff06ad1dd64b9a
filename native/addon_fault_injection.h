// Defines the functions of arena/system_calls.h, which tests use, on the exports object.
#pragma once

#include <napi.h>

namespace stillframe {

void DefineFaultInjection(Napi::Env env, Napi::Object exports);

}  // namespace stillframe

// The module: puts together what the bindings of the rooms define. Types: native/index.ts.
//
// Only addon.cpp and the addon_*.cpp files know Node-API; they alone throw to JavaScript.
// Everything below them is plain C++ that the native tests build without Node.
#include <napi.h>

#include "addon_arena.h"
#include "addon_fault_injection.h"
#include "addon_file_arena.h"
#include "addon_reactor.h"
#include "arena/constants.h"
#include "arena/thread.h"
#include "snapshot/checksum.h"
#include "snapshot/lazy_restore.h"

namespace stillframe {
namespace {

Napi::Value Crc32c(const Napi::CallbackInfo& info) {
  if (!info[0].IsTypedArray() ||
      info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    Napi::TypeError::New(info.Env(), "bytes must be a Uint8Array").ThrowAsJavaScriptException();
    return {};
  }
  const Napi::Uint8Array bytes = info[0].As<Napi::Uint8Array>();
  const uint32_t seed = info.Length() > 1 && info[1].IsNumber()
                            ? info[1].As<Napi::Number>().Uint32Value()
                            : 0;
  return Napi::Number::New(info.Env(), crc32c(bytes.Data(), bytes.ByteLength(), seed));
}

void ServeFirst(const Napi::CallbackInfo&) {
  shortenOwnSlice();
  lowerOtherThreads();
}

Napi::Object Constants(Napi::Env env) {
  Napi::Object constants = Napi::Object::New(env);
  constants.Set("pageBytes", static_cast<double>(kPageBytes));
  constants.Set("extentBytes", static_cast<double>(kExtentBytes));
  constants.Set("windowBytes", static_cast<double>(kWindowBytes));
  constants.Set("checksumBlockBytes", static_cast<double>(kChecksumBlockBytes));
  constants.Set("damagedExitCode", kDamagedExitCode);
  constants.Set("snapshotTableAlignment", static_cast<double>(kSnapshotTableAlignment));
  constants.Freeze();
  return constants;
}

Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("constants", Constants(env));
  exports.Set("crc32c", Napi::Function::New(env, Crc32c, "crc32c"));
  exports.Set("serveFirst", Napi::Function::New(env, ServeFirst, "serveFirst"));
  DefineArena(env, exports);
  DefineFileArena(env, exports);
  DefineFaultInjection(env, exports);
  exports.Set("createReactor", Napi::Function::New(env, CreateReactor, "createReactor"));
  return exports;
}

}  // namespace
}  // namespace stillframe

Napi::Object InitializeAddon(Napi::Env env, Napi::Object exports) {
  return stillframe::Initialize(env, exports);
}
NODE_API_MODULE(stillframe, InitializeAddon)

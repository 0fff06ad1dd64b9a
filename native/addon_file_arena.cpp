// The binding of arena/file_arena: a checkpoint file as windows that are only read.
//
// Lifetime: one mapping per environment. It stays until the environment's cleanup hook runs, when
// no JavaScript can touch the windows any more.
#include "addon_file_arena.h"

#include <cstring>

#include "addon_window.h"
#include "arena/constants.h"
#include "arena/file_arena.h"

namespace stillframe {
namespace {

void Throw(Napi::Env env, const Status& status) {
  Napi::Error error = Napi::Error::New(env, status.text());
  error.Set("name", Napi::String::New(env, "NativeError"));
  if (status.errnoCode() != 0) {
    const char* code = strerrorname_np(status.errnoCode());
    error.Set("code", Napi::String::New(env, code != nullptr ? code : "UNKNOWN"));
  }
  error.ThrowAsJavaScriptException();
}

Napi::Value OpenFileArena(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  FileArena& arena = *static_cast<FileArena*>(info.Data());
  if (!info[0].IsNumber() || !info[1].IsNumber() ||
      !(info[1].As<Napi::Number>().DoubleValue() >= 0)) {
    Napi::TypeError::New(env, "a descriptor and a size in bytes are expected")
        .ThrowAsJavaScriptException();
    return {};
  }
  if (arena.data() != nullptr) {
    Throw(env, Status::failure("this isolate has an arena already: it can have one"));
    return {};
  }
  const Status status = arena.open(info[0].As<Napi::Number>().Int32Value(),
                                   static_cast<size_t>(info[1].As<Napi::Number>().Int64Value()));
  if (!status.ok()) {
    Throw(env, status);
    return {};
  }
  Napi::Array windows = Napi::Array::New(env);
  for (size_t offset = 0; offset < arena.bytes(); offset += kWindowBytes) {
    const size_t left = arena.bytes() - offset;
    const size_t length = left < kWindowBytes ? left : kWindowBytes;
    windows.Set(static_cast<uint32_t>(offset / kWindowBytes),
                WindowOf(env, const_cast<uint8_t*>(arena.data()) + offset, length));
  }
  windows.Freeze();
  Napi::Object handle = Napi::Object::New(env);
  handle.Set("bytes", static_cast<double>(arena.bytes()));
  handle.Set("windows", windows);
  handle.Set("pageStates", Napi::ArrayBuffer::New(env, 0));
  handle.Set("mechanism", "none");
  handle.Set("mechanismReason", "the arena is a file that is only read");
  handle.Freeze();
  return handle;
}

}  // namespace

void DefineFileArena(Napi::Env env, Napi::Object exports) {
  FileArena* arena = new FileArena;
  napi_add_env_cleanup_hook(
      env, [](void* closed) { delete static_cast<FileArena*>(closed); }, arena);
  exports.Set("openFileArena",
              Napi::Function::New(env, OpenFileArena, "openFileArena", arena));
}

}  // namespace stillframe

// The binding of arena/ and snapshot/: checks and unpacks arguments, calls the plain C++, and turns
// its results into JavaScript values and errors.
//
// Lifetime: one ArenaBinding per environment. Its arena stays mapped until the environment's
// cleanup hook runs, when no JavaScript can touch the windows any more. The hook is added after the
// thread-safe function was made, hence runs before that is torn down. A worker that is terminated
// stops its run there; process.exit() runs no cleanup hooks on the main thread, but it emits
// 'exit', and a listener for that stops the run, so that no temporary file is left behind.
#include "addon_arena.h"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "addon_window.h"
#include "arena/arena.h"
#include "snapshot/checkpoint.h"
#include "snapshot/lazy_restore.h"
#include "snapshot/restore.h"

namespace stillframe {
namespace {

constexpr size_t kEventCount = 4;
constexpr size_t kFilled = kEventCount;  // the callback of a lazy restore, behind those of events

struct ArenaBinding {
  Arena arena;
  std::unique_ptr<Checkpoint> checkpoint;  // set while the arena is open
  std::unique_ptr<LazyRestore> restore;    // likewise
  napi_threadsafe_function wake = nullptr;
  bool keepsLoopAlive = false;
  // By CheckpointEvent, and kFilled; empty when not expected.
  Napi::FunctionReference callbacks[kEventCount + 1];

  void Close() {
    if (checkpoint) checkpoint->close();
    if (restore) restore->close();
    checkpoint.reset();
    restore.reset();
    arena.close();
    if (wake != nullptr) napi_release_threadsafe_function(wake, napi_tsfn_abort);
    wake = nullptr;
    for (Napi::FunctionReference& callback : callbacks) callback.Reset();
  }
};

// ---- errors ----------------------------------------------------------------------------------

Napi::Error ErrorOf(Napi::Env env, const Status& status, const char* name) {
  Napi::Error error = Napi::Error::New(env, status.text());
  error.Set("name", Napi::String::New(env, name));
  if (status.errnoCode() != 0) {
    const char* code = strerrorname_np(status.errnoCode());
    error.Set("code", Napi::String::New(env, code != nullptr ? code : "UNKNOWN"));
    error.Set("errno", Napi::Number::New(env, status.errnoCode()));
    error.Set("syscall", Napi::String::New(env, status.call()));
  }
  return error;
}

void Throw(Napi::Env env, const Status& status, const char* name = "NativeError") {
  ErrorOf(env, status, name).ThrowAsJavaScriptException();
}

void ThrowType(Napi::Env env, const std::string& text) {
  Napi::TypeError::New(env, text).ThrowAsJavaScriptException();
}

// ---- arguments -------------------------------------------------------------------------------

// A whole number from 0 to `max`, or an exception.
bool ReadCount(const Napi::Value& value, const char* what, double max, size_t& result) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  const bool inRange = number >= 0 && number <= max;  // false for NaN
  if (!inRange || number != static_cast<double>(static_cast<size_t>(number))) {
    ThrowType(value.Env(), std::string(what) + " must be a whole number from 0 to " +
                               std::to_string(static_cast<uint64_t>(max)));
    return false;
  }
  result = static_cast<size_t>(number);
  return true;
}

bool ReadObject(const Napi::CallbackInfo& info, Napi::Object& result) {
  if (info.Length() < 1 || !info[0].IsObject()) {
    ThrowType(info.Env(), "the argument must be a request object");
    return false;
  }
  result = info[0].As<Napi::Object>();
  return true;
}

bool ReadText(const Napi::Object& request, const char* key, std::string& result) {
  const Napi::Value value = request.Get(key);
  if (!value.IsString() || (result = value.As<Napi::String>().Utf8Value()).empty() ||
      result.find('\0') != std::string::npos) {
    ThrowType(request.Env(), std::string(key) + " must be a path");
    return false;
  }
  return true;
}

bool ReadFunction(const Napi::Object& request, const char* key, Napi::Function& result) {
  const Napi::Value value = request.Get(key);
  if (!value.IsFunction()) {
    ThrowType(request.Env(), std::string(key) + " must be a function");
    return false;
  }
  result = value.As<Napi::Function>();
  return true;
}

struct Bytes {
  const uint8_t* data = nullptr;
  size_t length = 0;
};

bool ReadBytes(const Napi::Object& request, const char* key, Bytes& result) {
  const Napi::Value value = request.Get(key);
  if (!value.IsTypedArray() ||
      value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    ThrowType(request.Env(), std::string(key) + " must be a Uint8Array");
    return false;
  }
  const Napi::Uint8Array array = value.As<Napi::Uint8Array>();
  result.data = array.Data();
  result.length = array.ByteLength();
  return true;
}

std::vector<uint8_t> CopyOf(const Bytes& bytes) {
  return std::vector<uint8_t>(bytes.data, bytes.data + bytes.length);
}

// The environment's binding with an open arena, or nullptr and an exception.
ArenaBinding* OpenedArena(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = static_cast<ArenaBinding*>(info.Data());
  if (binding->checkpoint) return binding;
  Throw(info.Env(), Status::failure("no arena is open in this isolate: call openArena first"));
  return nullptr;
}

// ---- delivery of results ---------------------------------------------------------------------

// The loop stays alive while a result is expected.
void UpdateLoopReference(Napi::Env env, ArenaBinding& binding) {
  bool expected = false;
  for (const Napi::FunctionReference& callback : binding.callbacks) {
    if (!callback.IsEmpty()) expected = true;
  }
  if (expected == binding.keepsLoopAlive) return;
  binding.keepsLoopAlive = expected;
  if (expected) {
    napi_ref_threadsafe_function(env, binding.wake);
  } else {
    napi_unref_threadsafe_function(env, binding.wake);
  }
}

void Expect(ArenaBinding& binding, size_t index, const Napi::Function& callback) {
  binding.callbacks[index] = Napi::Persistent(callback);
  UpdateLoopReference(callback.Env(), binding);
}

void Expect(ArenaBinding& binding, CheckpointEvent event, const Napi::Function& callback) {
  Expect(binding, static_cast<size_t>(event), callback);
}

void ExpectNoEvent(Napi::Env env, ArenaBinding& binding) {
  for (size_t event = 0; event < kEventCount; event++) binding.callbacks[event].Reset();
  UpdateLoopReference(env, binding);
}

// Calls the callback that was expected, once. False when it threw.
bool Call(Napi::Env env, ArenaBinding& binding, size_t index, const Status& status,
          const char* errorName, double number) {
  Napi::FunctionReference& expected = binding.callbacks[index];
  if (expected.IsEmpty()) return true;
  const Napi::HandleScope scope(env);
  const Napi::Function callback = expected.Value();
  expected.Reset();
  UpdateLoopReference(env, binding);
  const Napi::Value error =
      status.ok() ? env.Null() : ErrorOf(env, status, errorName).Value();
  callback.Call({error, Napi::Number::New(env, number)});
  return !env.IsExceptionPending();
}

// Calls the callbacks of all results that are there. Each result is taken once, so it does not
// matter whether the loop or checkpointWait() comes first. Stops when a callback throws.
void Deliver(Napi::Env env, ArenaBinding& binding) {
  Status filled;
  if (binding.restore && binding.restore->takeResult(filled) &&
      !Call(env, binding, kFilled, filled, "RestoreError", 0)) {
    return;
  }
  CheckpointResult result;
  while (binding.checkpoint && binding.checkpoint->takeResult(result)) {
    if (!Call(env, binding, static_cast<size_t>(result.event), result.status, "NativeError",
              result.tableChecksum)) {
      return;
    }
  }
}

// On the checkpoint thread.
void WakeLoop(void* context) {
  napi_call_threadsafe_function(static_cast<ArenaBinding*>(context)->wake, nullptr,
                                napi_tsfn_nonblocking);
}

// On the JavaScript thread, from the loop.
void OnWake(napi_env rawEnv, napi_value, void* context, void*) {
  if (rawEnv == nullptr) return;  // the environment is going down
  const Napi::Env env(rawEnv);
  Deliver(env, *static_cast<ArenaBinding*>(context));
  // Nobody is above us on the stack: make it an uncaught exception, as for any other callback.
  if (env.IsExceptionPending()) {
    napi_fatal_exception(env, env.GetAndClearPendingException().Value());
  }
}

// ---- arena -----------------------------------------------------------------------------------

Napi::Value ArenaHandleOf(Napi::Env env, ArenaBinding& binding) {
  Arena& arena = binding.arena;
  Napi::Array windows = Napi::Array::New(env);
  for (size_t offset = 0; offset < arena.bytes(); offset += kWindowBytes) {
    const size_t left = arena.bytes() - offset;
    const size_t length = left < kWindowBytes ? left : kWindowBytes;
    windows.Set(static_cast<uint32_t>(offset / kWindowBytes),
                WindowOf(env, arena.base() + offset, length));
  }
  windows.Freeze();
  Napi::Object handle = Napi::Object::New(env);
  handle.Set("bytes", static_cast<double>(arena.bytes()));
  handle.Set("windows", windows);
  handle.Set("pageStates", Napi::ArrayBuffer::New(env, arena.states().data(),
                                                  arena.bytes() / kPageBytes));
  handle.Set("mechanism", arena.protection().name());
  handle.Set("mechanismReason", arena.protection().reason());
  handle.Freeze();
  return handle;
}

void CloseArena(void* binding) { static_cast<ArenaBinding*>(binding)->Close(); }

void StopRunAtExit(Napi::Env env, ArenaBinding& binding) {
  const Napi::Object process = env.Global().Get("process").As<Napi::Object>();
  const auto stop = [](const Napi::CallbackInfo& info) {
    ArenaBinding* open = static_cast<ArenaBinding*>(info.Data());
    if (open->checkpoint) open->checkpoint->abort();
    if (open->restore) open->restore->stopFilling();
  };
  process.Get("on").As<Napi::Function>().Call(
      process, {Napi::String::New(env, "exit"), Napi::Function::New(env, stop, "stop", &binding)});
}

// 'auto' when it is not given.
bool ReadMechanism(const Napi::Value& value, Mechanism& result) {
  const std::string name =
      value.IsUndefined() ? "auto" : value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (name == "auto") {
    result = Mechanism::automatic;
  } else if (name == "userfaultfd") {
    result = Mechanism::userfaultfd;
  } else if (name == "mprotect") {
    result = Mechanism::mprotect;
  } else {
    ThrowType(value.Env(), "the mechanism must be 'auto', 'userfaultfd' or 'mprotect'");
    return false;
  }
  return true;
}

Napi::Value OpenArena(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  ArenaBinding& binding = *static_cast<ArenaBinding*>(info.Data());
  size_t bytes = 0;
  if (!ReadCount(info[0], "the size of the arena in bytes", 9007199254740991.0, bytes)) return {};
  WriteProtectOptions options;
  if (!ReadMechanism(info[1], options.mechanism)) return {};
  if (binding.checkpoint) {
    Throw(env, Status::failure("this isolate has an arena already: it can have one"));
    return {};
  }
  Status status = binding.arena.open(bytes, options);
  if (status.ok()) {
    binding.checkpoint = std::make_unique<Checkpoint>(binding.arena, WakeLoop, &binding);
    binding.restore = std::make_unique<LazyRestore>(binding.arena, WakeLoop, &binding);
    binding.checkpoint->attach(*binding.restore);
    status = binding.checkpoint->open();
  }
  if (status.ok() &&
      napi_create_threadsafe_function(env, nullptr, nullptr,
                                      Napi::String::New(env, "stillframe checkpoint"), 0, 1,
                                      nullptr, nullptr, &binding, OnWake,
                                      &binding.wake) != napi_ok) {
    status = Status::failure("napi_create_threadsafe_function failed");
  }
  if (!status.ok()) {
    binding.Close();
    Throw(env, status);
    return {};
  }
  napi_unref_threadsafe_function(env, binding.wake);
  binding.keepsLoopAlive = false;
  napi_add_env_cleanup_hook(env, CloseArena, &binding);
  StopRunAtExit(env, binding);
  return ArenaHandleOf(env, binding);
}

// (firstExtent, count) within the arena, or an exception.
bool ReadExtents(const Napi::CallbackInfo& info, const Arena& arena, size_t& first, size_t& count) {
  const double extentCount = static_cast<double>(arena.extentCount());
  return ReadCount(info[0], "firstExtent", extentCount, first) &&
         ReadCount(info[1], "count", extentCount - static_cast<double>(first), count);
}

void ReleaseExtents(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = OpenedArena(info);
  size_t first = 0, count = 0;
  if (binding == nullptr || !ReadExtents(info, binding->arena, first, count)) return;
  if (binding->checkpoint->covers(first, count)) {
    Throw(info.Env(), Status::failure("extents " + std::to_string(first) + " to " +
                                      std::to_string(first + count - 1) +
                                      " belong to the running checkpoint: release them after it"));
    return;
  }
  binding->arena.populate().cancel(first, count);
  Status status = binding->restore->forget(first, count);
  if (status.ok()) {
    status = binding->arena.mapping().discard(first * kExtentBytes, count * kExtentBytes);
  }
  binding->checkpoint->noteReleased(first, count);
  if (!status.ok()) Throw(info.Env(), status);
}

void ForgetExtents(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = OpenedArena(info);
  size_t first = 0, count = 0;
  if (binding == nullptr || !ReadExtents(info, binding->arena, first, count)) return;
  const Status status = binding->restore->forget(first, count);
  if (!status.ok()) Throw(info.Env(), status);
}

void PopulateExtents(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = OpenedArena(info);
  size_t first = 0, count = 0;
  if (binding == nullptr || !ReadExtents(info, binding->arena, first, count)) return;
  const Status status = binding->arena.populate().request(first, count);
  if (!status.ok()) Throw(info.Env(), status);
}

// ---- checkpoint ------------------------------------------------------------------------------

void CheckpointPrepare(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = OpenedArena(info);
  Napi::Object request;
  Bytes extents;
  size_t memoryBytesMax = 0;
  Napi::Function onPrepared;
  if (binding == nullptr || !ReadObject(info, request) ||
      !ReadBytes(request, "extents", extents) ||
      !ReadCount(request.Get("memoryBytesMax"), "memoryBytesMax", 9007199254740991.0,
                 memoryBytesMax) ||
      !ReadFunction(request, "onPrepared", onPrepared)) {
    return;
  }
  const Status status = binding->checkpoint->prepare(memoryBytesMax, CopyOf(extents));
  if (!status.ok()) return Throw(info.Env(), status);
  Expect(*binding, CheckpointEvent::prepared, onPrepared);
}

void CheckpointProtect(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = OpenedArena(info);
  Napi::Object request;
  std::string temporaryPath;
  Bytes extents;
  Napi::Function onProtected;
  if (binding == nullptr || !ReadObject(info, request) ||
      !ReadText(request, "temporaryPath", temporaryPath) ||
      !ReadBytes(request, "extents", extents) ||
      !ReadFunction(request, "onProtected", onProtected)) {
    return;
  }
  const Status status = binding->checkpoint->protectAhead(CopyOf(extents), temporaryPath);
  if (!status.ok()) return Throw(info.Env(), status);
  Expect(*binding, CheckpointEvent::protectedAhead, onProtected);
}

Napi::Value CheckpointApproach(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = OpenedArena(info);
  if (binding == nullptr) return {};
  bool isNear = false;
  const Status status = binding->checkpoint->approach(isNear);
  if (status.ok()) return Napi::Boolean::New(info.Env(), isNear);
  Throw(info.Env(), status);
  return {};
}

Napi::Value CheckpointStartRun(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = OpenedArena(info);
  Napi::Object request;
  Bytes extents;
  CheckpointStart start{};
  Napi::Function onCopied;
  if (binding == nullptr || !ReadObject(info, request) ||
      !ReadText(request, "temporaryPath", start.temporaryPath) ||
      !ReadBytes(request, "extents", extents) ||
      !ReadCount(request.Get("memoryBytesMax"), "memoryBytesMax", 9007199254740991.0,
                 start.memoryBytesMax) ||
      !ReadFunction(request, "onCopied", onCopied)) {
    return {};
  }
  start.kinds = extents.data;
  start.extentCount = extents.length;
  uint64_t pauseMicros = 0;
  const Status status = binding->checkpoint->start(start, pauseMicros);
  if (!status.ok()) {
    Throw(info.Env(), status);
    return {};
  }
  Expect(*binding, CheckpointEvent::copied, onCopied);
  return Napi::Number::New(info.Env(), static_cast<double>(pauseMicros));
}

void CheckpointFinish(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = OpenedArena(info);
  Napi::Object request;
  Bytes tail;
  std::string finalPath;
  Napi::Function onFinished;
  if (binding == nullptr || !ReadObject(info, request) || !ReadBytes(request, "tail", tail) ||
      !ReadText(request, "finalPath", finalPath) ||
      !ReadFunction(request, "onFinished", onFinished)) {
    return;
  }
  const Status status = binding->checkpoint->finish(CopyOf(tail), std::move(finalPath));
  if (!status.ok()) return Throw(info.Env(), status);
  Expect(*binding, CheckpointEvent::finished, onFinished);
}

void CheckpointWait(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = OpenedArena(info);
  if (binding == nullptr) return;
  binding->checkpoint->wait();
  Deliver(info.Env(), *binding);
}

void CheckpointAbort(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = OpenedArena(info);
  if (binding == nullptr) return;
  binding->checkpoint->abort();
  ExpectNoEvent(info.Env(), *binding);
}

Napi::Value CheckpointReadCounters(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = OpenedArena(info);
  if (binding == nullptr) return {};
  const CheckpointCounters counters = binding->checkpoint->counters();
  Napi::Object result = Napi::Object::New(info.Env());
  const auto set = [&](const char* key, uint64_t value) {
    result.Set(key, Napi::Number::New(info.Env(), static_cast<double>(value)));
  };
  result.Set("active", Napi::Boolean::New(info.Env(), counters.active));
  set("epoch", counters.epoch);
  set("pauseMicros", counters.pauseMicros);
  set("durationMicros", counters.durationMicros);
  set("pagesTotal", counters.pagesTotal);
  set("pagesCopied", counters.pagesCopied);
  set("pagesSaved", counters.pagesSaved);
  set("faults", counters.faults);
  set("poolOverflows", counters.poolOverflows);
  set("extraBytes", counters.extraBytes);
  set("extraBytesPeak", counters.extraBytesPeak);
  set("preArmFaults", counters.preArmFaults);
  set("rangesAtCut", counters.rangesAtCut);
  set("fileBytes", counters.fileBytes);
  return result;
}

// ---- restore ---------------------------------------------------------------------------------

// The fields that both ways of restoring share; false with an exception when they cannot be used.
bool ReadRestore(const Napi::CallbackInfo& info, ArenaBinding* binding, Napi::Object& object,
                 RestoreRequest& request) {
  Bytes extents;
  size_t tableOffset = 0;
  size_t tableChecksum = 0;
  if (binding == nullptr || !ReadObject(info, object) || !ReadText(object, "path", request.path) ||
      !ReadBytes(object, "extents", extents) ||
      !ReadCount(object.Get("tableOffset"), "tableOffset", 9007199254740991.0, tableOffset) ||
      !ReadCount(object.Get("tableChecksum"), "tableChecksum", 4294967295.0, tableChecksum)) {
    return false;
  }
  if (binding->checkpoint->active() || binding->checkpoint->prepared()) {
    Throw(info.Env(), Status::failure("a checkpoint run is active: restore before it or after it"));
    return false;
  }
  request.kinds = extents.data;
  request.extentCount = extents.length;
  request.tableOffset = tableOffset;
  request.tableChecksum = static_cast<uint32_t>(tableChecksum);
  return true;
}

void RestoreExtents(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = OpenedArena(info);
  Napi::Object object;
  RestoreRequest request{};
  if (!ReadRestore(info, binding, object, request)) return;
  SnapshotSource source;
  Status status = source.open(request, binding->arena.extentCount());
  if (status.ok()) {
    status = binding->restore->stop();
    binding->callbacks[kFilled].Reset();
    UpdateLoopReference(info.Env(), *binding);
  }
  if (status.ok()) status = restoreExtents(binding->arena, source, request);
  if (!status.ok()) Throw(info.Env(), status, "RestoreError");
}

void RestoreLazily(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = OpenedArena(info);
  Napi::Object object;
  RestoreRequest request{};
  Napi::Function onFilled;
  size_t logDescriptor = 0;
  std::string advice;
  if (!ReadRestore(info, binding, object, request) ||
      !ReadCount(object.Get("logDescriptor"), "logDescriptor", 2147483647.0, logDescriptor) ||
      !ReadText(object, "advice", advice) || !ReadFunction(object, "onFilled", onFilled)) {
    return;
  }
  const Status status =
      binding->restore->open(request, {static_cast<int>(logDescriptor), advice});
  if (!status.ok()) return Throw(info.Env(), status, "RestoreError");
  Expect(*binding, kFilled, onFilled);
}

void StartFilling(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = OpenedArena(info);
  if (binding == nullptr) return;
  const Status status = binding->restore->startFilling();
  if (!status.ok()) Throw(info.Env(), status, "RestoreError");
}

Napi::Value RestoreProgress(const Napi::CallbackInfo& info) {
  ArenaBinding* binding = OpenedArena(info);
  if (binding == nullptr) return {};
  const LazyRestoreProgress progress = binding->restore->progress();
  Napi::Object result = Napi::Object::New(info.Env());
  const auto set = [&](const char* key, uint64_t value) {
    result.Set(key, Napi::Number::New(info.Env(), static_cast<double>(value)));
  };
  result.Set("active", Napi::Boolean::New(info.Env(), progress.active));
  set("bytesTotal", progress.bytesTotal);
  set("bytesDone", progress.bytesDone);
  set("blocksTouched", progress.blocksTouched);
  set("durationMicros", progress.durationMicros);
  return result;
}

}  // namespace

void DefineArena(Napi::Env env, Napi::Object exports) {
  ArenaBinding* binding = new ArenaBinding;
  env.SetInstanceData(binding);  // deletes it with the environment
  const auto define = [&](const char* name, auto function) {
    exports.Set(name, Napi::Function::New(env, function, name, binding));
  };
  define("openArena", OpenArena);
  define("releaseExtents", ReleaseExtents);
  define("forgetExtents", ForgetExtents);
  define("populateExtents", PopulateExtents);
  define("checkpointPrepare", CheckpointPrepare);
  define("checkpointProtect", CheckpointProtect);
  define("checkpointApproach", CheckpointApproach);
  define("checkpointStart", CheckpointStartRun);
  define("checkpointFinish", CheckpointFinish);
  define("checkpointWait", CheckpointWait);
  define("checkpointAbort", CheckpointAbort);
  define("checkpointCounters", CheckpointReadCounters);
  define("restoreExtents", RestoreExtents);
  define("restoreLazily", RestoreLazily);
  define("startFilling", StartFilling);
  define("restoreProgress", RestoreProgress);
}

}  // namespace stillframe

// The binding of arena/system_calls.h: which system call of a checkpoint run fails, and how.
#include "addon_fault_injection.h"

#include <string>

#include "arena/system_calls.h"

namespace stillframe {
namespace {

// -1 for none of the names.
int CallNamed(const Napi::Value& value) {
  if (!value.IsString()) return -1;
  const std::string text = value.As<Napi::String>().Utf8Value();
  int index = 0;
  for (const char* name : kSystemCallNames) {
    if (text == name) return index;
    index++;
  }
  return -1;
}

void InjectFault(const Napi::CallbackInfo& info) {
  FaultInjection& injection = faultInjection;
  injection.armed.store(false, std::memory_order_relaxed);
  if (!info[0].IsObject()) return;
  const Napi::Object fault = info[0].As<Napi::Object>();
  const Napi::Value nth = fault.Get("nth");
  const Napi::Value outcome = fault.Get("outcome");
  const std::string text = outcome.IsString() ? outcome.As<Napi::String>().Utf8Value() : "";
  int code = text == "short" ? FaultInjection::kShort : FaultInjection::kCrash;
  if (outcome.IsNumber()) code = outcome.As<Napi::Number>().Int32Value();
  if (!nth.IsNumber() || (text != "short" && text != "crash" && code <= 0)) {
    Napi::TypeError::New(info.Env(), "a fault has a number nth and an outcome: errno, 'short' or "
                                     "'crash'").ThrowAsJavaScriptException();
    return;
  }
  injection.nth.store(nth.As<Napi::Number>().Uint32Value(), std::memory_order_relaxed);
  injection.outcome.store(code, std::memory_order_relaxed);
  injection.count.store(0, std::memory_order_relaxed);
  injection.recordedCount.store(0, std::memory_order_relaxed);
  injection.only.store(CallNamed(fault.Get("call")), std::memory_order_relaxed);
  injection.armed.store(true, std::memory_order_seq_cst);
}

Napi::Value RecordedCalls(const Napi::CallbackInfo& info) {
  const size_t made = faultInjection.recordedCount.load(std::memory_order_relaxed);
  const size_t count =
      made < FaultInjection::kRecordedMax ? made : size_t{FaultInjection::kRecordedMax};
  Napi::Array names = Napi::Array::New(info.Env(), count);
  for (size_t i = 0; i < count; i++) {
    const uint8_t call = faultInjection.recorded[i].load(std::memory_order_relaxed);
    names.Set(static_cast<uint32_t>(i), Napi::String::New(info.Env(), kSystemCallNames[call]));
  }
  return names;
}

}  // namespace

void DefineFaultInjection(Napi::Env env, Napi::Object exports) {
  exports.Set("injectFault", Napi::Function::New(env, InjectFault, "injectFault"));
  exports.Set("recordedCalls", Napi::Function::New(env, RecordedCalls, "recordedCalls"));
}

}  // namespace stillframe

// The binding of the socket reactor: ReactorHandle of native/index.ts over reactor/reactor.h. The
// only file that knows both the reactor and Node-API, and the only one that knows libuv.
//
// Lifetime: libuv owns a LoopWatch (its uv_poll_t must outlive uv_close()) and the watch keeps the
// JavaScript object alive until it is closed, by shutdown() or by the environment's cleanup hook.
// Only then may the object, and the reactor in it, be collected.
#include "addon_reactor.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include <uv.h>

#include "reactor/reactor.h"

namespace stillframe {
namespace {

class ReactorHandle;

/** The epoll descriptor in libuv's loop. */
struct LoopWatch {
  uv_poll_t poll;
  napi_async_cleanup_hook_handle cleanupHook = nullptr;
  ReactorHandle* owner = nullptr;
};

class ReactorHandle : public Napi::ObjectWrap<ReactorHandle> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit ReactorHandle(const Napi::CallbackInfo& info);

 private:
  bool OpenReactor(const Napi::Object& options);
  bool Watch();
  void ThrowFailure(const SystemFailure& failure);
  void Close();

  static void OnReadable(uv_poll_t* poll, int status, int events);
  static void OnClosed(uv_handle_t* handle);
  static void OnEnvironmentCleanup(napi_async_cleanup_hook_handle hook, void* argument);

  Napi::Value Turn(const Napi::CallbackInfo& info);
  void Flush(const Napi::CallbackInfo& info);
  void Send(const Napi::CallbackInfo& info);
  Napi::Value ListenTcp(const Napi::CallbackInfo& info);
  Napi::Value ListenUnix(const Napi::CallbackInfo& info);
  void CloseListener(const Napi::CallbackInfo& info);
  void LeaveInSocket(const Napi::CallbackInfo& info);
  Napi::Value Receive(const Napi::CallbackInfo& info);
  Napi::Value QueuedBytes(const Napi::CallbackInfo& info);
  Napi::Value QueuedBytesTotal(const Napi::CallbackInfo& info);
  void SetReading(const Napi::CallbackInfo& info);
  void CloseAfterSend(const Napi::CallbackInfo& info);
  void CloseConnection(const Napi::CallbackInfo& info);
  void SetKeepAlive(const Napi::CallbackInfo& info);
  Napi::Value Describe(const Napi::CallbackInfo& info);
  Napi::Value Counters(const Napi::CallbackInfo& info);
  void Shutdown(const Napi::CallbackInfo& info);

  std::unique_ptr<Reactor> reactor_;
  /** What the reactor writes to and reads from; held so that it is not collected. */
  Napi::Reference<Napi::ArrayBuffer> input_, output_, events_, sends_;
  Napi::FunctionReference onReady_;
  std::unique_ptr<Napi::AsyncContext> asyncContext_;
  /** Not null while attached to the loop. */
  LoopWatch* watch_ = nullptr;
};

struct Range {
  uint8_t* bytes = nullptr;
  size_t length = 0;
};

/** Unpacks arguments; the first of the wrong type throws a TypeError and makes all of them bad. */
class Arguments {
 public:
  Arguments(const Napi::CallbackInfo& info, const char* method) : info_(info), method_(method) {}

  bool good() const { return good_; }
  double number(size_t index) {
    return expect(index, info_[index].IsNumber(), "a number")
               ? info_[index].As<Napi::Number>().DoubleValue()
               : 0;
  }
  int integer(size_t index) {
    return expect(index, info_[index].IsNumber(), "a number")
               ? info_[index].As<Napi::Number>().Int32Value()
               : 0;
  }
  bool boolean(size_t index) {
    return expect(index, info_[index].IsBoolean(), "a boolean") &&
           info_[index].As<Napi::Boolean>().Value();
  }
  std::string text(size_t index) {
    return expect(index, info_[index].IsString(), "a string")
               ? info_[index].As<Napi::String>().Utf8Value()
               : std::string();
  }
  /** Three arguments: a Uint8Array, an offset in it and a length. */
  Range range(size_t index) {
    const double offset = number(index + 1);
    const double length = number(index + 2);
    if (!good_) return {};
    const bool isBytes = info_[index].IsTypedArray() &&
                         info_[index].As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array;
    Napi::Uint8Array array = isBytes ? info_[index].As<Napi::Uint8Array>() : Napi::Uint8Array();
    const double available = isBytes ? static_cast<double>(array.ByteLength()) : 0;
    if (isBytes && offset >= 0 && length >= 0 && offset + length <= available) {
      return {array.Data() + static_cast<size_t>(offset), static_cast<size_t>(length)};
    }
    good_ = false;
    Napi::RangeError::New(info_.Env(), std::string(method_) +
                                           ": expected a Uint8Array, and a range inside of it")
        .ThrowAsJavaScriptException();
    return {};
  }

 private:
  bool expect(size_t index, bool isExpected, const char* expected) {
    if (!isExpected && good_) {
      good_ = false;
      const std::string position = std::to_string(index + 1);
      Napi::TypeError::New(info_.Env(), std::string(method_) + ": argument " + position +
                                            " must be " + expected)
          .ThrowAsJavaScriptException();
    }
    return good_;
  }

  const Napi::CallbackInfo& info_;
  const char* method_;
  bool good_ = true;
};

// ---- opening and the loop ----------------------------------------------------------------------

Napi::Function ReactorHandle::Define(Napi::Env env) {
  using Self = ReactorHandle;
  return DefineClass(env, "ReactorHandle",
                     {InstanceMethod<&Self::Turn>("turn"),
                      InstanceMethod<&Self::Flush>("flush"),
                      InstanceMethod<&Self::Send>("send"),
                      InstanceMethod<&Self::LeaveInSocket>("leaveInSocket"),
                      InstanceMethod<&Self::Receive>("receive"),
                      InstanceMethod<&Self::ListenTcp>("listenTcp"),
                      InstanceMethod<&Self::ListenUnix>("listenUnix"),
                      InstanceMethod<&Self::CloseListener>("closeListener"),
                      InstanceMethod<&Self::QueuedBytes>("queuedBytes"),
                      InstanceMethod<&Self::QueuedBytesTotal>("queuedBytesTotal"),
                      InstanceMethod<&Self::SetReading>("setReading"),
                      InstanceMethod<&Self::CloseAfterSend>("closeAfterSend"),
                      InstanceMethod<&Self::CloseConnection>("close"),
                      InstanceMethod<&Self::SetKeepAlive>("setKeepAlive"),
                      InstanceMethod<&Self::Describe>("describe"),
                      InstanceMethod<&Self::Counters>("counters"),
                      InstanceMethod<&Self::Shutdown>("shutdown")});
}

ReactorHandle::ReactorHandle(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ReactorHandle>(info) {
  if (!info[0].IsObject() || !info[0].As<Napi::Object>().Get("onReady").IsFunction()) {
    Napi::TypeError::New(info.Env(), "createReactor: expected options with a function onReady")
        .ThrowAsJavaScriptException();
    return;
  }
  if (OpenReactor(info[0].As<Napi::Object>())) Watch();
}

bool ReactorHandle::OpenReactor(const Napi::Object& options) {
  const Napi::Env env = Env();
  const double inputBytes = options.Get("inputBytes").ToNumber().DoubleValue();
  const double outputBytes = options.Get("outputBytes").ToNumber().DoubleValue();
  const double readBytesMax = options.Get("readBytesMax").ToNumber().DoubleValue();
  constexpr double kBufferBytesMax = 1 << 30;  // offsets are int32
  if (!(inputBytes >= 1 && inputBytes <= kBufferBytesMax) ||
      !(outputBytes >= 1 && outputBytes <= kBufferBytesMax) ||
      !(readBytesMax >= 1 && readBytesMax <= inputBytes)) {
    Napi::RangeError::New(env, "createReactor: expected inputBytes and outputBytes from 1 to 2^30 "
                               "and readBytesMax from 1 to inputBytes")
        .ThrowAsJavaScriptException();
    return false;
  }

  const auto share = [&](Napi::Reference<Napi::ArrayBuffer>* held, double bytes) {
    Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, static_cast<size_t>(bytes));
    *held = Napi::Persistent(buffer);
    return buffer;
  };
  Napi::ArrayBuffer input = share(&input_, inputBytes);
  Napi::ArrayBuffer output = share(&output_, outputBytes);
  const size_t eventInts = kEventsMax * kEventFields;
  const size_t sendInts = kSendsMax * kSendFields;
  Napi::ArrayBuffer events = share(&events_, eventInts * sizeof(int32_t));
  Napi::ArrayBuffer sends = share(&sends_, sendInts * sizeof(int32_t));
  Napi::Object self = Value();
  self.Set("input", Napi::Uint8Array::New(env, input.ByteLength(), input, 0));
  self.Set("output", Napi::Uint8Array::New(env, output.ByteLength(), output, 0));
  self.Set("events", Napi::Int32Array::New(env, eventInts, events, 0));
  self.Set("sends", Napi::Int32Array::New(env, sendInts, sends, 0));

  ReactorBuffers buffers;
  buffers.input = static_cast<uint8_t*>(input.Data());
  buffers.inputBytes = input.ByteLength();
  buffers.output = static_cast<uint8_t*>(output.Data());
  buffers.outputBytes = output.ByteLength();
  buffers.events = static_cast<int32_t*>(events.Data());
  buffers.sends = static_cast<int32_t*>(sends.Data());
  SystemFailure failure;
  reactor_ = Reactor::open(buffers, static_cast<size_t>(readBytesMax), &failure);
  if (!reactor_) return ThrowFailure(failure), false;

  onReady_ = Napi::Persistent(options.Get("onReady").As<Napi::Function>());
  asyncContext_ = std::make_unique<Napi::AsyncContext>(env, "stillframe:reactor", self);
  return true;
}

bool ReactorHandle::Watch() {
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(Env(), &loop);
  auto watch = std::make_unique<LoopWatch>();
  const int status = uv_poll_init(loop, &watch->poll, reactor_->epollDescriptor());
  if (status != 0) {
    reactor_->shutdown();
    return ThrowFailure({-status, "uv_poll_init"}), false;
  }
  watch->poll.data = watch.get();
  watch->owner = this;
  watch_ = watch.release();
  Ref();
  napi_add_async_cleanup_hook(Env(), OnEnvironmentCleanup, watch_, &watch_->cleanupHook);
  uv_poll_start(&watch_->poll, UV_READABLE, OnReadable);
  return true;
}

void ReactorHandle::OnReadable(uv_poll_t* poll, int /*status*/, int /*events*/) {
  ReactorHandle* self = static_cast<LoopWatch*>(poll->data)->owner;
  const Napi::Env env = self->Env();
  const Napi::HandleScope scope(env);
  self->reactor_->enterLoop();
  // Through make_callback: it runs the queues of process.nextTick and promises afterwards.
  napi_value result;
  const napi_status status =
      napi_make_callback(env, *self->asyncContext_, self->Value(), self->onReady_.Value(), 0,
                         nullptr, &result);
  self->reactor_->leaveLoop();
  if (status != napi_pending_exception) return;
  napi_value error;
  napi_get_and_clear_last_exception(env, &error);
  napi_fatal_exception(env, error);  // 'uncaughtException', as for any callback of Node
}

/** Idempotent. libuv forgets the descriptor in uv_close(), so it may be closed at once. */
void ReactorHandle::Close() {
  if (watch_ == nullptr) return;
  LoopWatch* watch = std::exchange(watch_, nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&watch->poll), OnClosed);
  reactor_->shutdown();
}

void ReactorHandle::OnClosed(uv_handle_t* handle) {
  const std::unique_ptr<LoopWatch> watch(static_cast<LoopWatch*>(handle->data));
  watch->owner->Unref();
  // Last: when the environment ends, it waits for this and then runs the finalizers.
  napi_remove_async_cleanup_hook(watch->cleanupHook);
}

void ReactorHandle::OnEnvironmentCleanup(napi_async_cleanup_hook_handle, void* argument) {
  static_cast<LoopWatch*>(argument)->owner->Close();
}

void ReactorHandle::ThrowFailure(const SystemFailure& failure) {
  Napi::Error error = Napi::Error::New(Env(), failure.message());
  const char* name = strerrorname_np(failure.error);
  error.Set("code", name != nullptr ? name : "UNKNOWN");
  error.Set("errno", Napi::Number::New(Env(), failure.error));
  error.ThrowAsJavaScriptException();
}

// ---- methods ----------------------------------------------------------------------------------

Napi::Value ReactorHandle::Turn(const Napi::CallbackInfo& info) {
  const int count = reactor_->turn(info[0].As<Napi::Number>().Uint32Value());
  if (count == Reactor::kBadSend) {
    Napi::RangeError::New(info.Env(), "turn: a row of sends lies outside of output")
        .ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  return Napi::Number::New(info.Env(), count);
}

void ReactorHandle::Flush(const Napi::CallbackInfo& info) {
  if (reactor_->flush(info[0].As<Napi::Number>().Uint32Value())) return;
  Napi::RangeError::New(info.Env(), "flush: a row of sends lies outside of output")
      .ThrowAsJavaScriptException();
}

void ReactorHandle::Send(const Napi::CallbackInfo& info) {
  Arguments arguments(info, "send");
  const int id = arguments.integer(0);
  const Range range = arguments.range(1);
  if (arguments.good()) reactor_->send(id, range.bytes, range.length);
}

void ReactorHandle::LeaveInSocket(const Napi::CallbackInfo& info) {
  Arguments arguments(info, "leaveInSocket");
  const int id = arguments.integer(0);
  const int bytes = arguments.integer(1);
  if (arguments.good()) reactor_->leaveInSocket(id, static_cast<uint32_t>(std::max(0, bytes)));
}

Napi::Value ReactorHandle::Receive(const Napi::CallbackInfo& info) {
  Arguments arguments(info, "receive");
  const int id = arguments.integer(0);
  const Range range = arguments.range(1);
  if (!arguments.good()) return Napi::Value();
  const size_t received = reactor_->receive(id, range.bytes, range.length);
  return Napi::Number::New(info.Env(), static_cast<double>(received));
}

Napi::Value ReactorHandle::ListenTcp(const Napi::CallbackInfo& info) {
  Arguments arguments(info, "listenTcp");
  const std::string host = arguments.text(0);
  const int askedPort = arguments.integer(1);
  const int backlog = arguments.integer(2);
  if (!arguments.good()) return Napi::Value();
  int port = 0;
  SystemFailure failure;
  const int listener = reactor_->listenTcp(host, askedPort, backlog, &port, &failure);
  if (listener < 0) return ThrowFailure(failure), Napi::Value();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("listener", listener);
  result.Set("port", port);
  return result;
}

Napi::Value ReactorHandle::ListenUnix(const Napi::CallbackInfo& info) {
  Arguments arguments(info, "listenUnix");
  const std::string path = arguments.text(0);
  const int mode = info[1].IsNull() ? -1 : arguments.integer(1);
  const int backlog = arguments.integer(2);
  if (!arguments.good()) return Napi::Value();
  SystemFailure failure;
  const int listener = reactor_->listenUnix(path, mode, backlog, &failure);
  if (listener < 0) return ThrowFailure(failure), Napi::Value();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("listener", listener);
  return result;
}

void ReactorHandle::CloseListener(const Napi::CallbackInfo& info) {
  Arguments arguments(info, "closeListener");
  const int listener = arguments.integer(0);
  if (arguments.good()) reactor_->closeListener(listener);
}

Napi::Value ReactorHandle::QueuedBytes(const Napi::CallbackInfo& info) {
  Arguments arguments(info, "queuedBytes");
  const int id = arguments.integer(0);
  if (!arguments.good()) return Napi::Value();
  return Napi::Number::New(info.Env(), static_cast<double>(reactor_->queuedBytes(id)));
}

Napi::Value ReactorHandle::QueuedBytesTotal(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(reactor_->queuedBytesTotal()));
}

void ReactorHandle::SetReading(const Napi::CallbackInfo& info) {
  Arguments arguments(info, "setReading");
  const int id = arguments.integer(0);
  const bool reading = arguments.boolean(1);
  if (arguments.good()) reactor_->setReading(id, reading);
}

void ReactorHandle::CloseAfterSend(const Napi::CallbackInfo& info) {
  Arguments arguments(info, "closeAfterSend");
  const int id = arguments.integer(0);
  if (arguments.good()) reactor_->closeAfterSend(id);
}

void ReactorHandle::CloseConnection(const Napi::CallbackInfo& info) {
  Arguments arguments(info, "close");
  const int id = arguments.integer(0);
  if (arguments.good()) reactor_->close(id);
}

void ReactorHandle::SetKeepAlive(const Napi::CallbackInfo& info) {
  Arguments arguments(info, "setKeepAlive");
  const int id = arguments.integer(0);
  const int seconds = arguments.integer(1);
  if (arguments.good()) reactor_->setKeepAlive(id, seconds);
}

Napi::Value ReactorHandle::Describe(const Napi::CallbackInfo& info) {
  Arguments arguments(info, "describe");
  const int id = arguments.integer(0);
  if (!arguments.good()) return Napi::Value();
  const ConnectionDescription description = reactor_->describe(id);
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("fd", description.fd);
  result.Set("address", description.address);
  result.Set("localAddress", description.localAddress);
  return result;
}

Napi::Value ReactorHandle::Counters(const Napi::CallbackInfo& info) {
  const ReactorCounters& counters = reactor_->counters();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("accepted", static_cast<double>(counters.accepted));
  result.Set("bytesIn", static_cast<double>(counters.bytesIn));
  result.Set("bytesOut", static_cast<double>(counters.bytesOut));
  result.Set("acceptErrors", static_cast<double>(counters.acceptErrors));
  return result;
}

void ReactorHandle::Shutdown(const Napi::CallbackInfo&) { Close(); }

}  // namespace

Napi::Value CreateReactor(const Napi::CallbackInfo& info) {
  return ReactorHandle::Define(info.Env()).New({info[0]});
}

}  // namespace stillframe

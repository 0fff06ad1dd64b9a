// V8 adds the bytes of every buffer to what it holds outside of its heap, and collects garbage when
// that grows: for the windows of an arena again and again at the start (30 to 100 ms at 18 GiB),
// and too often afterwards. So they are taken out of the account at once.
//
// V8 subtracts them once more when the buffer goes, and since Node 24 it ends the process when they
// are not there. So they are put back in time. Node gives up buffers when their environment ends,
// the youngest first: a guard, a buffer made after the window, says when by its finalizer. Both are
// held until then.
#include "addon_window.h"

namespace stillframe {
namespace {

struct Window {
  int64_t bytes;
  Napi::Reference<Napi::ArrayBuffer> held, guard;
};

void PutBack(Napi::Env env, void*, Window* window) {
  Napi::MemoryManagement::AdjustExternalMemory(env, window->bytes);
  delete window;
}

}  // namespace

Napi::ArrayBuffer WindowOf(Napi::Env env, uint8_t* data, size_t length) {
  const Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, data, length);
  Window* window = new Window{static_cast<int64_t>(length), Napi::Persistent(buffer), {}};
  Napi::MemoryManagement::AdjustExternalMemory(env, -window->bytes);
  // Its byte is the record's first: an address that no other buffer has.
  window->guard = Napi::Persistent(Napi::ArrayBuffer::New(env, window, 1, PutBack, window));
  return buffer;
}

}  // namespace stillframe

#include "arena/write_protect.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "arena/constants.h"
#include "arena/mprotect_protect.h"
#include "arena/system_calls.h"

// Debian 12 builds with the headers of Linux 6.1; the running kernel is asked for what is newer.
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)  // Linux 6.4
#endif
#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00)  // Linux 6.1, on /dev/userfaultfd
#endif
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1  // Linux 5.11
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22  // Linux 5.14
#endif

namespace stillframe {
namespace {

// EAGAIN means that the address space is changing (a fork at work); it lasts microseconds.
constexpr int kAgainMax = 1'000'000;

struct OpenedDescriptor {
  int descriptor = -1;
  const char* how = "";
};

// A new userfaultfd. User mode only: the kernel's own accesses to protected pages then fail with
// EFAULT instead of raising a fault, and in return no privilege is needed.
Status openDescriptor(OpenedDescriptor& result) {
  long descriptor = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
  const int callCode = descriptor < 0 ? errno : 0;
  if (descriptor >= 0) {
    result = {static_cast<int>(descriptor), "the system call userfaultfd is permitted"};
    return Status();
  }
  // Containers often filter the system call; the device (mode bits) may still be open to us.
  const int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
  int deviceCode = device < 0 ? errno : 0;
  if (device >= 0) {
    descriptor = ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    deviceCode = descriptor < 0 ? errno : 0;
    close(device);
    if (descriptor >= 0) {
      result = {static_cast<int>(descriptor), "the system call userfaultfd is refused here, "
                                              "/dev/userfaultfd is not"};
      return Status();
    }
  }
  return Status::systemCall("userfaultfd", callCode,
                            std::string("and /dev/userfaultfd: ") + strerrordesc_np(deviceCode) +
                                "; allow the system call in the container's seccomp profile or "
                                "make the device accessible");
}

// The negotiation can be done once per descriptor, so a first one is opened only to ask.
Status askFeatures(uint64_t& features) {
  OpenedDescriptor opened;
  Status status = openDescriptor(opened);
  if (!status.ok()) return status;
  uffdio_api api{};
  api.api = UFFD_API;
  const int code = ioctl(opened.descriptor, UFFDIO_API, &api) == 0 ? 0 : errno;
  close(opened.descriptor);
  if (code != 0) return Status::systemCall("ioctl", code, "UFFDIO_API, asking for features");
  features = api.features;
  return Status();
}

class UserfaultWriteProtect final : public WriteProtect {
 public:
  ~UserfaultWriteProtect() override {
    if (descriptor_ >= 0) close(descriptor_);  // also drops all protection
  }

  Status setUp(uint8_t* base, size_t bytes, const WriteProtectOptions& options) {
    uint64_t offered = 0;
    Status status = askFeatures(offered);
    if (!status.ok()) return status;
    const uint64_t needed = UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_SIGBUS;
    if ((offered & needed) != needed) {
      return Status::failure("userfaultfd of this kernel offers features " +
                             std::to_string(offered) + ", needed are write protection and "
                             "SIGBUS (" + std::to_string(needed) +
                             "): Linux 5.7 or newer is required");
    }
    coversUnpopulated_ =
        (offered & UFFD_FEATURE_WP_UNPOPULATED) != 0 && !options.ignoreUnpopulatedFeature;

    OpenedDescriptor opened;
    status = openDescriptor(opened);
    if (!status.ok()) return status;
    descriptor_ = opened.descriptor;
    uffdio_api api{};
    api.api = UFFD_API;
    api.features = needed | (coversUnpopulated_ ? UFFD_FEATURE_WP_UNPOPULATED : 0);
    if (ioctl(descriptor_, UFFDIO_API, &api) != 0) {
      return Status::systemCall("ioctl", errno, "UFFDIO_API, write protection with SIGBUS");
    }
    uffdio_register request{};
    request.range.start = reinterpret_cast<uintptr_t>(base);
    request.range.len = bytes;
    request.mode = UFFDIO_REGISTER_MODE_WP;
    if (ioctl(descriptor_, UFFDIO_REGISTER, &request) != 0) {
      return Status::systemCall("ioctl", errno, "UFFDIO_REGISTER of the arena");
    }
    if ((request.ioctls & (uint64_t{1} << _UFFDIO_WRITEPROTECT)) == 0) {
      return Status::failure("userfaultfd registered the arena without write protection: this "
                             "kernel or architecture does not support it");
    }
    reason_ = std::string(opened.how) + " and the kernel offers write protection with SIGBUS";
    if (!coversUnpopulated_) reason_ += " (untouched pages are populated first)";
    return Status();
  }

  const char* name() const override { return "userfaultfd"; }
  const std::string& reason() const override { return reason_; }
  int signalNumber() const override { return SIGBUS; }
  int userfaultDescriptor() const override { return descriptor_; }
  void beginRun(size_t) override {}
  size_t granuleBytes() const override { return kPageBytes; }

  int prepare(uint8_t* start, size_t bytes) override {
    if (coversUnpopulated_) return 0;
    // A read maps the shared zero page, which costs no memory and can be protected.
    if (madvise(start, bytes, MADV_POPULATE_READ) == 0) return 0;
    if (errno != EINVAL) return errno;
    for (size_t offset = 0; offset < bytes; offset += kPageBytes) {
      (void)*const_cast<volatile uint8_t*>(start + offset);
    }
    return 0;
  }

  int protect(uint8_t* start, size_t bytes) override {
    return change(SystemCall::protect, start, bytes, UFFDIO_WRITEPROTECT_MODE_WP);
  }

 private:
  int liftAs(SystemCall name, uint8_t* start, size_t bytes) override {
    return change(name, start, bytes, 0);
  }

  int change(SystemCall name, uint8_t* start, size_t bytes, uint64_t mode) {
    uffdio_writeprotect request{};
    request.range.start = reinterpret_cast<uintptr_t>(start);
    request.range.len = bytes;
    request.mode = mode;
    for (int attempt = 0; attempt < kAgainMax; attempt++) {
      const int result = systemCall(
          name, [&](bool) { return ioctl(descriptor_, UFFDIO_WRITEPROTECT, &request); });
      if (result == 0) return 0;
      if (errno != EAGAIN && errno != EINTR) return errno;
      sched_yield();
    }
    return EAGAIN;
  }

  int descriptor_ = -1;
  bool coversUnpopulated_ = false;
  std::string reason_;
};

}  // namespace

Status WriteProtect::open(uint8_t* base, size_t bytes, const WriteProtectOptions& options,
                          std::unique_ptr<WriteProtect>& result) {
  if (options.mechanism == Mechanism::mprotect) {
    result = std::make_unique<MprotectProtect>("it was asked for", options.granuleBytesMin);
    return Status();
  }
  auto userfault = std::make_unique<UserfaultWriteProtect>();
  Status status = userfault->setUp(base, bytes, options);
  if (status.ok()) {
    result = std::move(userfault);
  } else if (options.mechanism == Mechanism::automatic) {
    result = std::make_unique<MprotectProtect>("not available here: " + status.text(),
                                               options.granuleBytesMin);
    status = Status();
  }
  return status;
}

}  // namespace stillframe

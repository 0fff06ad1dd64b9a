// Starts a program for which userfaultfd is refused, as Docker's default seccomp profile does:
//
//   refuse_userfaultfd call PROGRAM ARGUMENTS...     the system call
//   refuse_userfaultfd device PROGRAM ARGUMENTS...   and a new descriptor from /dev/userfaultfd
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NEW_DESCRIPTOR _IO(0xAA, 0x00)  // USERFAULTFD_IOC_NEW
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define SKIP_UNLESS(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (count))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: refuse_userfaultfd call|device PROGRAM ARGUMENTS...\n");
    return 2;
  }
  struct sock_filter filter[] = {
      LOAD(nr),
      SKIP_UNLESS(SYS_userfaultfd, 1),
      RETURN(SECCOMP_RET_ERRNO | EPERM),
      // The low half of the request of ioctl(2), on a little-endian machine.
      SKIP_UNLESS(SYS_ioctl, 3),
      LOAD(args[1]),
      SKIP_UNLESS(NEW_DESCRIPTOR, 1),
      RETURN(strcmp(argv[1], "device") == 0 ? SECCOMP_RET_ERRNO | EACCES : SECCOMP_RET_ALLOW),
      RETURN(SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    perror("prctl");
    return 2;
  }
  execvp(argv[2], argv + 2);
  perror(argv[2]);
  return 2;
}

#!/bin/sh
# Builds and runs the native tests, which need no Node.
#   native/test/run.sh [plain|address|thread]... [--effort N] [--seed N] [--build DIR] [--once]
#                      [name]...
# Without a flavour: plain, address (with undefined-behaviour checks) and thread, one after the
# other. The long form is --effort 20. Objects go to native/test/build unless --build names another
# place. --once: not again with mprotect.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
native=$(dirname "$here")
build=$here/build
flavours=
arguments=
once=
while [ $# -gt 0 ]; do
  case $1 in
    plain | address | thread | bench) flavours="$flavours $1" ;;
    --build) shift; build=$1 ;;
    --once) once=yes ;;
    *) arguments="$arguments $1" ;;
  esac
  shift
done
mkdir -p "$build"
exec 9>"$build/lock"
flock 9 # two runs must not build into the same place at once
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM

run() { # flavour, arguments
  program=$build/$1/native_tests
  case $1 in
    # The sanitizers must leave the faults to the program. Their fixed shadow addresses do not go with
    # the widest address randomisation of newer kernels, which setarch -R switches off.
    address) env ASAN_OPTIONS=handle_sigbus=0:handle_segv=0:detect_leaks=1 \
      UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
      setarch -R "$program" --directory "$scratch" $2 ;;
    thread) env TSAN_OPTIONS=handle_sigbus=0:handle_segv=0:halt_on_error=1:second_deadlock_stack=1:die_after_fork=0 \
      setarch -R "$program" --directory "$scratch" $2 ;;
    *) "$program" --directory "$scratch" $2 ;;
  esac
}

for flavour in ${flavours:-plain address thread}; do
  make --no-print-directory -s -C "$here" FLAVOUR="$flavour" BUILD="$build/$flavour"
  echo "== $flavour"
  run "$flavour" "$arguments"
  # The protocol again, with mprotect in place of userfaultfd: its usual granule, and a page as
  # granule, where the tests that hold threads at a step count the same. Lazy restore needs
  # userfaultfd.
  case $flavour$once in plain | thread)
    run "$flavour" "--mprotect 65536 $arguments -lazy_restore -held_ -handler_that -abort_waits -failing_spill -spill"
    run "$flavour" "--mprotect 4096 $arguments -lazy_restore -hammer -spill" ;;
  esac
done

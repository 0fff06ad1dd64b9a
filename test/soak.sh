#!/bin/sh
# The long forms of tests whose short forms are in the suite, with their figures; half an hour on 2 cores:
#   native    the native tests under ThreadSanitizer; in those that hammer, four writers against the
#             copier, two million caught writes, and the file is the arena at the cut every time
#   faults    1,000 checkpoints of which every other has a system call fail: nothing of them stays; and
#             up to 24 calls of each kind in a checkpoint fail, or are the last of the process
#   crash     250 times kill -9 at a random instant of a checkpoint under load
#   oracle    ten times the commands of the suite against redis-server
# Seeds are new each day. `npm run soak -- NAME...` runs some of them. SOAK_SEED replays a day.
set -eu
cd "$(dirname "$0")/.."
seed=${SOAK_SEED:-$(date +%Y%m%d)}
export STILLFRAME_FIGURES=1

vitest() {
  npx vitest run "$@" --reporter=dot --disable-console-intercept
}

echo "seed $seed"
for part in ${*:-native faults crash oracle}; do
  echo "== $part"
  case $part in
    native) native/test/run.sh thread --once --effort 10 --seed "$seed" ;;
    faults)
      STILLFRAME_FAULTY_RUNS=1000 vitest test/native/faults.test.ts
      CRASH_CALLS=24 vitest test/crash/system_calls.test.ts
      ;;
    crash) CRASH_SEED=$seed CRASH_KILLS=250 vitest test/crash/kill_instants.test.ts ;;
    oracle) ORACLE_SEED=$seed ORACLE_OPS=60000 vitest test/oracle --test-timeout 600000 ;;
    *)
      echo "no such part: $part (native, faults, crash, oracle)" >&2
      exit 2
      ;;
  esac
done

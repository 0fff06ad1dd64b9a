#!/bin/sh
# The long forms of tests whose short forms are in the suite, about 15 minutes on 2 cores:
#   native    page states and handlers under ThreadSanitizer, writers against the copier, millions of faults
#   faults    1,000 checkpoints of which every other fails at some system call: nothing of them stays
#   crash     200 times kill -9 at a random instant of a checkpoint under load, with a new seed each day
#   oracle    ten times the commands of the suite against redis-server, with that seed
# `npm run soak -- NAME...` runs some of them. SOAK_SEED replays a day.
set -eu
cd "$(dirname "$0")/.."
seed=${SOAK_SEED:-$(date +%Y%m%d)}
echo "seed $seed"
for part in ${*:-native faults crash oracle}; do
  echo "== $part"
  case $part in
    native) native/test/run.sh thread --effort 10 --seed "$seed" ;;
    faults) STILLFRAME_FAULTY_RUNS=1000 npx vitest run test/native/faults.test.ts ;;
    crash) CRASH_SEED=$seed CRASH_CYCLES=40 npx vitest run test/crash/consistent_cut.test.ts ;;
    oracle) ORACLE_SEED=$seed ORACLE_OPS=60000 npx vitest run test/oracle --test-timeout 600000 ;;
    *)
      echo "no such part: $part (native, faults, crash, oracle)" >&2
      exit 2
      ;;
  esac
done

# Sourced by check.sh, test.sh and soak.sh, which are lists of steps. It runs the steps,
# knows which packages are of which kind, and writes the last lines: the slowest tests and
# how often tests tried again.
# shellcheck shell=bash

records=$(mktemp -d) # a folder for each step
trap 'rm -rf "$records"' EXIT
# Tests that may try again where servers fail write here how often they did (testbed/gate).
export ARCHIBALD_ATTEMPTS=$records/attempts
# Programs that tests start are linked once for all of them (testbed/stack).
export ARCHIBALD_PROGRAMS=$records/programs
mkdir "$ARCHIBALD_PROGRAMS"

# step NAME COMMAND... runs a command in silence and shows its output if it failed. It ends
# with 0 in both cases: one run shows all failures. Steps may overlap: each writes to a
# folder of its own, which the command finds in $own.
step() {
  local name=$1 begin=$SECONDS result=ok own
  shift
  own=$(mktemp -d -p "$records")
  "$@" >"$own/output" 2>&1 || result=FAIL
  printf '%s\n' "$result" >"$own/result"
  printf '  %-4s  %-50s %4d s\n' "$result" "$name$(cat "$own/note" 2>/dev/null)" $((SECONDS - begin))
  if [ "$result" = FAIL ]; then
    grep -vE '^ *(=== (RUN|PAUSE|CONT|NAME)|--- PASS)' "$own/output" | tail -n 200
    reasons <"$own/output" >"$own/reasons"
  fi
}

# reasons finds what each failed test said last, without the long logs that may follow:
# ten messages at most, four lines of each.
reasons() {
  awk '
    /^=== RUN/ { said = 0 }
    /^ *[a-z0-9_]+_test\.go:[0-9]+: / { said++; lines = 0; message[said] = "" }
    /^ *--- (PASS|SKIP)/ { lines = 4 }
    /^ *--- FAIL/ {
      print
      for (i = (said > 10 ? said - 9 : 1); i <= said; i++) printf "%s", message[i]
      said = 0
    }
    said && lines++ < 4 { message[said] = message[said] $0 "\n" }'
}

# tests NAME ARGUMENTS... is a step of go test, with its tests counted. A skipped test is a
# failure, and so is a step that ran no test.
tests() {
  local name=$1
  shift
  step "$name" run_tests "$@"
}

run_tests() {
  local passed skipped status=0
  # scripts/lint.sh vets everything; once more for each way to build would cost a minute.
  go test -v -vet=off -timeout "${test_timeout:-9m}" "$@" || status=1
  passed=$(grep -cE '^ *--- PASS' "$own/output")
  skipped=$(grep -cE '^ *--- SKIP' "$own/output")
  printf '%d\n' "$passed" >"$own/passed"
  printf ', %d tests' "$passed" >"$own/note"
  if [ "$skipped" -gt 0 ]; then
    echo "$skipped tests were skipped; no test may be"
    status=1
  fi
  if [ "$passed" -eq 0 ]; then
    echo "no test ran"
    status=1
  fi
  return $status
}

# finish writes the last lines. It ends with 1 if a step failed.
finish() {
  local passed failed
  cat "$records"/*/reasons 2>/dev/null # near the end, where they are seen first
  echo "slowest tests:"
  cat "$records"/*/output | slowest | head -n 10
  if [ -s "$ARCHIBALD_ATTEMPTS" ]; then attempts <"$ARCHIBALD_ATTEMPTS"; fi
  passed=$(cat "$records"/*/passed /dev/null | awk '{ sum += $1 } END { print sum + 0 }')
  failed=$(cat "$records"/*/result | grep -c FAIL)
  printf '%d tests passed, %d steps failed, %d s\n' "$passed" "$failed" "$SECONDS"
  [ "$failed" -eq 0 ]
}

# slowest sorts the tests in the output of go test -v by their time. What Go took from its
# cache took no time.
slowest() {
  awk '
    /^--- (PASS|FAIL): / { time = $4; gsub(/[()s]/, "", time); line[++tests] = sprintf("%8.1f s  %s", time, $3) }
    /^(ok|FAIL)[ \t]+[^ \t]+[ \t]/ {
      if (!/\(cached\)$/) for (i = 1; i <= tests; i++) print line[i] " (" $2 ")"
      tests = 0
    }' | sort -rn
}

# attempts tells which tests tried again. A test that needed its last attempt stands out:
# one more and it would have failed.
attempts() {
  awk '
    { sum += $1 }
    $1 > 1 { printf "attempts: %s %d of %d%s\n", $3, $1, $2, ($1 == $2 ? "  <-- ITS LAST" : "") }
    END { printf "attempts: %d by %d tests that may try again\n", sum, NR }'
}

# once FILE COMMAND... prints what a command printed when it was called first; steps that
# overlap may both be first.
once() {
  local file=$records/$1 mine
  shift
  if [ ! -e "$file" ]; then
    mine=$(mktemp -p "$records")
    "$@" >"$mine" || return
    mv "$mine" "$file"
  fi
  cat "$file"
}

# binaries lists each test program with all packages that it reaches, between spaces.
binaries() { once binaries go list -test -f '{{.ImportPath}} {{join .Deps " "}} ' ./... | grep -E '^[^ ]+\.test '; }

# with_servers lists the packages whose tests start audio servers: they reach what starts
# them. without_servers lists all others.
readonly servers=' archibald-bridge/testbed/(stack|jacktest) '
with_servers() { binaries | grep -E "$servers" | sed 's/\.test .*//'; }
without_servers() { binaries | grep -vE "$servers" | sed 's/\.test .*//'; }

# judging_sound lists those of with_servers of which some tests need the machine for
# themselves and wait for it: they judge sound that was recorded, or, in testbed/stack, what
# all servers of a machine share. asking lists the others, which wait for what a server says;
# those of only_asks do, too, though they reach what judges.
readonly judges=' archibald-bridge/testbed/signal |^archibald-bridge/testbed/stack\.test '
readonly only_asks='^archibald-bridge/(testbed/(callers|field|health|sessions)|nix/units)\.test '
judging_sound() { binaries | grep -E "$servers" | grep -E "$judges" | grep -vE "$only_asks" | sed 's/\.test .*//'; }
# The race detector sees what runs in the process of the test, which is the product's code
# in the product's packages; elsewhere the product is a program of its own.
readonly in_process='bridge|guest|host'
asking() { with_servers | grep -vxF "$(judging_sound)"; }
# asks_beside are tests of judging_sound's packages that only ask, too, and take long: they
# run beside asking.
readonly asks_beside='TestTwoJackServersSideBySide|TestAProgramThatIgnoresSIGTERMIsKilled|TestATermSignalWritesWhatWasHeard|TestAServerThatDiesIsReportedAndTheSoundKept|TestANameInUseAndAnAbsentServerAreErrors|TestTheControlIsHeardInBothGraphs|TestAProgramThatDoesNotStartFailsTheRun|TestPeersThatComeWithTheServersOfferTheirPorts|TestTwoLeadersAreToldSo|TestEachEndAndServerIsKilledAndComesBack'

# tests_in FILE... is a pattern of the tests in these files: the tests of a package that
# take long can run beside its others. It ends with 1 where there is none: an empty pattern is
# that of all tests.
tests_in() {
  local names
  names=$(sed -nE 's/^func (Test[A-Za-z0-9_]+)\(.*/^\1$/p' "$@" | paste -sd '|')
  if [ -z "$names" ]; then
    echo "no tests in $*" >&2
    return 1
  fi
  echo "$names"
}

# without_c lists the packages of which neither code nor tests link C, Go's own apart.
without_c() {
  local c
  c=$(once c go list -deps -test -f '{{if and .CgoFiles (not .Standard)}} {{.ImportPath}} {{end}}' ./... | sort -u)
  binaries | grep -vF "$c" | sed 's/\.test .*//'
}

# of PATTERN keeps the packages whose path in the project matches; but PATTERN drops them.
of() { grep -E "^archibald-bridge/($1)(/|\$)"; }
but() { grep -vE "^archibald-bridge/($1)(/|\$)"; }

# calling_programs lists the packages whose tests run other programs. Such tests may read
# what Go's cache does not know of: fresh keeps those, which must run each time, and kept
# those of which the cache knows all.
calling_programs() {
  once imports go list -f '{{.ImportPath}} {{join .Imports " "}} {{join .TestImports " "}} {{join .XTestImports " "}} ' ./... |
    grep ' os/exec ' | sed 's/ .*//'
}
fresh() { grep -xF "$(calling_programs)"; }
kept() { grep -vxF "$(calling_programs)"; }

# with_portaudio lists the packages that are different with the build tag of that name.
readonly portaudio=nolibopusfile,portaudio
with_portaudio() {
  go list -tags "$portaudio" -test -f '{{.ImportPath}} {{join .Deps " "}} ' ./bridge/... ./guest/... ./host/... |
    grep -E '^[^ ]+\.test ' | grep -F ' archibald-bridge/bridge/audio/portaudio ' | sed 's/\.test .*//'
}

# sequential keeps the packages that link no C and in which nothing starts a goroutine: under
# the race detector they would be slower and show nothing. concurrent keeps the others.
sequential() { grep -xF "$(without_c)" | xargs go list -f '{{.ImportPath}} {{.Dir}}' | while read -r package folder; do
  grep -qE '^[[:space:]]*go [a-zA-Z_]' "$folder"/*.go || echo "$package"
done; }
concurrent() {
  local all
  all=$(cat)
  grep -vxF "$(sequential <<<"$all")" <<<"$all"
}

# Tests that are one long calculation each: under the race detector they would show what
# shorter ones of their packages show.
readonly arithmetic='TestDriftIsFollowed|TestLossesAreConcealedByPrediction|TestNoPatternOfLossesClicks|TestLossIsMadeGoodByRepetition|TestRepeatsAreNoArrivalsInRandomLoss|TestTenMinutesOfF32NoiseAreBitExact|TestADayOfAClockThatIsOffHasNoSkip'

# concurrent_product and sequential_product are all tests of the product that need no server,
# the first under the race detector.
# shellcheck disable=SC2046 # package paths have no blanks
concurrent_product() {
  tests "Go, race detector" -race -skip "$arithmetic" $(without_servers | but testbed | kept | concurrent)
  tests "Go, race detector: what runs other programs" -race -count=1 -skip "$arithmetic" $(without_servers | but testbed | fresh | concurrent)
}
# shellcheck disable=SC2046
sequential_product() {
  tests "Go without goroutines" $(without_servers | but testbed | kept | sequential)
  tests "Go without goroutines: what runs other programs" -count=1 $(without_servers | but testbed | fresh | sequential)
  tests "long calculations" -run "$arithmetic" ./bridge/rt ./bridge/roundtrip
}

# simulator and judges are the same of what only measures. The simulator is one thread of
# arithmetic, on which the race detector would spend ten times as long and find nothing.
# shellcheck disable=SC2046
simulator() { test_timeout=${test_timeout:-30m} tests "simulator" $(without_servers | of testbed/sim); }
# shellcheck disable=SC2046
judges() {
  tests "judges of sound" $(without_servers | of testbed | but testbed/sim | kept)
  tests "judges of sound: what runs other programs" -count=1 $(without_servers | of testbed | but testbed/sim | fresh)
}

# idle lets what this shell starts from now on run only while nothing else wants to
# (sched(7), SCHED_IDLE).
idle() { chrt --idle --pid 0 "$BASHPID"; }

# What nix/tests/check could not do without nixpkgs it counts as skipped.
check_nix() {
  local status=0
  nix/tests/check || status=1
  printf ': %s' "$(tail -n 1 "$own/output")" >"$own/note"
  if grep -q '^0 passed' "$own/output"; then status=1; fi
  return $status
}

# vet_without_c proves that what should need no C builds without it, tests included.
vet_without_c() { without_c | CGO_ENABLED=0 xargs go vet; }

# fuzz_targets FOLDER... lists folder and name of each.
fuzz_targets() {
  grep -rHoE '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' "$@" | sed -E 's|/[^/]*:func | |; s|^([^./])|./\1|'
}

# fuzz FOLDER TARGET SECONDS. Go before 1.27 now and then calls the end of the time a failure
# (go.dev/issue/75804): then once more. What it found, it writes down.
fuzz() {
  for _ in 1 2 3; do
    go test -run '^$' -fuzz "^$2\$" -fuzztime "$3s" -fuzzminimizetime 1s -parallel 2 "$1" >"$own/once" 2>&1 && return
    cat "$own/once"
    if grep -q 'Failing input' "$own/once" || ! grep -qx ' *context deadline exceeded' "$own/once"; then return 1; fi
  done
  return 1
}

# fuzz_all SECONDS FOLDER... is a step for each target.
fuzz_all() {
  local seconds=$1 folder target
  shift
  while read -r folder target; do
    step "$target, $seconds s" fuzz "$folder" "$target" "$seconds"
  done < <(fuzz_targets "$@")
}

#!/bin/bash
# Every test, in this order: style, Go without C, Go under the race detector,
# the real-time core, short fuzzing, the C drivers under sanitizers, and last
# and alone the tests that run real audio servers.
#
# Installs what is missing. Goes on after a failure and ends with 1 if there was
# one. A skipped test is a failure, and so is a step that ran no test.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

scripts/deps.sh test || exit

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
total=0
failed=()

# step NAME COMMAND... runs it in silence and shows its output if it failed.
step() {
  local name=$1 begin=$SECONDS
  shift
  if "$@" >"$logs/step" 2>&1; then
    printf '  ok    %-44s %4d s\n' "$name$note" $((SECONDS - begin))
  else
    printf '  FAIL  %-44s %4d s\n' "$name" $((SECONDS - begin))
    grep -vE '^ *(=== (RUN|PAUSE|CONT|NAME)|--- PASS)' "$logs/step" | tail -n 200
    reasons <"$logs/step" >>"$logs/reasons"
    failed+=("$name")
  fi
  note=
}
note=

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

# tests NAME ARGUMENTS... is a step of go test, with its tests counted.
tests() {
  local name=$1
  shift
  step "$name" run_tests "$@"
}

run_tests() {
  local log=$logs/tests passed skipped status=0
  go test -v -timeout 9m "$@" 2>&1 | tee "$log" || status=1
  passed=$(grep -cE '^ *--- PASS' "$log")
  skipped=$(grep -cE '^ *--- SKIP' "$log")
  total=$((total + passed))
  note=", $passed tests"
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

# What nix/tests/check could not do without nixpkgs it counts as skipped.
check_nix() {
  local status=0
  nix/tests/check 2>&1 | tee "$logs/nix" || status=1
  note=": $(tail -n 1 "$logs/nix")"
  if grep -q '^0 passed' "$logs/nix"; then status=1; fi
  return $status
}

# The packages that link C, by name; without_c lists all others.
with_c='/(bridge/rt|bridge/audio|testbed|guest|host|benchmarks/peers|nix/units)(/|$)|^archibald-bridge$'
without_c() { go list ./... | grep -vE "$with_c"; }

fuzz_targets() {
  grep -rHoE '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' . | sed -E 's|/[^/]*:func | |'
}

# fuzz FOLDER TARGET runs one for three seconds. Go before 1.27 now and then calls their
# end a failure (go.dev/issue/75804): then once more. What it found, it writes down.
fuzz() {
  local log=$logs/fuzz
  for _ in 1 2 3; do
    go test -run '^$' -fuzz "^$2\$" -fuzztime 3s -fuzzminimizetime 1s -parallel 2 "$1" 2>&1 | tee "$log" && return
    if grep -q 'Failing input' "$log" || ! grep -qx ' *context deadline exceeded' "$log"; then return 1; fi
  done
  return 1
}

echo "archibald-bridge: all tests"
step "gofmt, go vet, linters" scripts/lint.sh
step "NixOS modules" check_nix

CGO_ENABLED=0 tests "Go without C" ./proto/... ./bridge/{session,clock,kvmclock,jitterstore,patchbay,config,status,signaling,roundtrip,cli,announce,guests,network,stream,fault}/... ./bridge/codec

mapfile -t pure < <(without_c)
# Not from the cache: some of these tests read the tree through other programs.
tests "Go, race detector" -race -count=1 "${pure[@]}"

tests "real-time core" -count=1 . ./bridge/rt/...
# The sanitizer itself allocates; ten minutes of noise are many under it.
tests "real-time core, address sanitizer" -asan -count=1 \
  -skip 'TestControlDoesNotAllocate|TestTenMinutesOfF32NoiseAreBitExact' ./bridge/rt
step "real-time core, C drivers under sanitizers" make -C testbed/ctest

while read -r folder target; do
  step "$target, 3 s" fuzz "$folder" "$target"
done < <(fuzz_targets)

tests "PortAudio on ALSA and JACK" -tags nolibopusfile,portaudio -count=1 ./bridge/audio/portaudio ./host

# Where servers fail, some of these try again.
tests "stack: real audio servers" -timeout 20m -p 1 -count=1 ./testbed/... ./bridge/audio/... ./guest/... ./host/... ./benchmarks/peers ./nix/units

cat "$logs/reasons" 2>/dev/null # at the end, where it is seen first
printf '%d tests passed, %d steps failed, %d s\n' "$total" "${#failed[@]}" "$SECONDS"
[ "${#failed[@]}" -eq 0 ]

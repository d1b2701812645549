#!/bin/bash
# Every kind of test. First what needs no audio server, for which no time matters, three steps
# at once, the simulator's at idle priority; then the tests that ask real audio servers; last
# and alone those that judge their sound. docs/testing.md tells more.
#
#   scripts/test.sh                    16 minutes on a fresh machine
#   ARCHIBALD_SOAK=1 scripts/test.sh   the same for hours, as make soak
#
# Installs what is missing. Goes on after a failure and ends with 1 if there was one.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

scripts/deps.sh test || exit
. scripts/gate.sh
follow=$(tests_in bridge/audio/jack/follow_test.go) || exit

if [ -n "${ARCHIBALD_SOAK:-}" ]; then
  test_timeout=5h fuzz_seconds=300 fuzzed=(.)
  drivers=(DRIVER_SECONDS=300 FUZZ_SECONDS=1800)
else
  # What parses what strangers send. What the core parses is fuzzed in testbed/ctest; of all
  # others the seeds run as tests.
  fuzz_seconds=2 fuzzed=(proto)
  drivers=(DRIVER_SECONDS=4 FUZZ_SECONDS=10)
fi

# The C core alone has its memory from the heap, where the address sanitizer sees every
# byte; in Go's tests it is mapped, and Go itself is built anew for it.
sanitizers() {
  step "real-time core, C drivers under sanitizers" make -C testbed/ctest "${drivers[@]}"
  if [ -n "${ARCHIBALD_SOAK:-}" ]; then
    # The address sanitizer itself allocates, and nm sees what the compiler added.
    tests "real-time core, address sanitizer" -asan -skip 'TestControlDoesNotAllocate|TestAudioThreadsCallOnlyWhatTheListAllows|TestPlantedCallsAreFound' ./bridge/rt
  fi
}

echo "archibald-bridge: all tests"
# The simulator, for which nothing waits, takes the time of the processors that the others
# leave, until sound is judged.
{ idle; simulator; } &
{
  step "gofmt, go vet, linters" scripts/lint.sh
  judges
  sequential_product
  step "NixOS modules" check_nix
  sanitizers
  fuzz_all "$fuzz_seconds" "${fuzzed[@]}"
} &
one=$!
{
  concurrent_product
  step "go vet without C" vet_without_c
} &
wait "$one" $!

# Where servers fail, some of these try again.
# shellcheck disable=SC2046 # package paths have no blanks
{
  tests "real audio servers, race detector: JACK" -race -count=1 -skip "$follow" archibald-bridge/bridge/audio/jack &
  {
    tests "real audio servers, race detector: JACK, driven" -race -count=1 -run "$follow" archibald-bridge/bridge/audio/jack
    tests "real audio servers, PortAudio" -tags "$portaudio" -p 1 -count=1 $(with_portaudio)
  } &
  ARCHIBALD_BESIDE=1 tests "real audio servers, asked beside" -p 2 -count=1 -run "$asks_beside" ./benchmarks/peers ./testbed/jackprobe ./testbed/stack ./testbed/locked &
  tests "real audio servers, race detector" -race -p 2 -count=1 $(asking | of "$in_process" | but bridge/audio/jack) &
  tests "real audio servers, asked by programs" -p 2 -count=1 $(asking | but "$in_process") &
  wait
  # Three at once, of which those that judge sound wait until they are alone (testbed/stack).
  tests "real audio servers, judged by sound" -timeout "${test_timeout:-20m}" -p 3 -count=1 -skip "$asks_beside" $(judging_sound)
}
finish

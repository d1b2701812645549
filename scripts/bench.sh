#!/bin/bash
# The benchmarks: the core's stages, then the bridge on real servers. Arguments
# go to the latter: -seconds 60 -rate 96000 roundtrip.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

scripts/deps.sh bench
go test -run '^$' -bench . -benchmem -p 1 ./bridge/rt ./bridge/clock
exec go run ./benchmarks "$@"

#!/bin/bash
# What one runs before each commit: style, and all tests that need no audio server. It
# installs nothing: go build and go vet must work here.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
. scripts/gate.sh

echo "archibald-bridge: style, and all tests without audio servers"
step "gofmt, go vet, linters" scripts/lint.sh
{ simulator; judges; } &
{ concurrent_product; sequential_product; } &
wait
finish

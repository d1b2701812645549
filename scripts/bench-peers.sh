#!/bin/bash
# This bridge beside others: benchmarks/peers, whose arguments it takes. Without any it makes
# the whole of docs/comparison.md: all systems in turn, which is started again where it was
# interrupted, then latency over two hours, then the tables and figures. Needs root:
# networks, real-time rights.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

scripts/deps.sh bench
if [ $# -gt 0 ]; then exec go run ./benchmarks/peers "$@"; fi
go run ./benchmarks/peers
go run ./benchmarks/peers hours
exec go run ./benchmarks/report

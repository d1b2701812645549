#!/bin/bash
# This bridge beside zita-njbridge, JackTrip, netJACK2, netone and PipeWire's RTP
# modules, in one run: benchmarks/peers. Needs root: networks, real-time rights.
# Started again it goes on where it was interrupted.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

scripts/deps.sh bench
exec go run ./benchmarks/peers "$@"

#!/bin/bash
# go vet for macOS and Windows of what has no C and needs nothing of Linux. The
# rest is written for Linux: the core's sockets (bridge/rt), bridge/network, bridge/realtime,
# bridge/kvmclock, bridge/roundtrip and what uses them; for Windows also the clocks of
# bridge/session and the processor time of bridge/status. Not part of test.sh: it
# compiles Go's own library twice.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

everywhere=(./proto/... ./bridge/{clock,config,jitterstore,patchbay,signaling})
unix=(./bridge/{audio/portaudio,session,status})

GOOS=darwin CGO_ENABLED=0 go vet "${everywhere[@]}" "${unix[@]}"
say "go vet for macOS: no complaint"
GOOS=windows CGO_ENABLED=0 go vet "${everywhere[@]}"
say "go vet for Windows: no complaint"

#!/bin/bash
# The whole bridge on this machine, heard, measured and stopped again. Installs
# what is missing after asking (--yes, or no terminal: without asking). Other
# arguments go to testbed/demo: --rate 96000 --period 32, --latency 10ms.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

yes=()
arguments=()
for argument in "$@"; do
  if [ "$argument" = --yes ]; then yes=(--yes); else arguments+=("$argument"); fi
done
scripts/deps.sh demo "${yes[@]}"
# The demo may run as root beside somebody else's checkout.
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
go build -o bin/demo ./testbed/demo
exec bin/demo "${arguments[@]}"

#!/bin/bash
# Formatting, go vet, and golangci-lint where it is installed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

unformatted=$(gofmt -l .)
if [ -n "$unformatted" ]; then
  say "not as gofmt writes it:" "$unformatted"
  exit 1
fi
go vet ./...
go vet -tags nolibopusfile,portaudio ./...
if command -v golangci-lint >/dev/null; then
  golangci-lint run
fi

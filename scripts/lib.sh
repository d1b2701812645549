# Sourced by the other scripts: finds Go, and goes to the top of the project.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Go as its makers install it is often not in PATH.
if ! command -v go >/dev/null && [ -x /usr/local/go/bin/go ]; then
  PATH=$PATH:/usr/local/go/bin
fi

# A Go older than go.mod asks for fetches the newer one. Debian's does so only
# when told.
export GOTOOLCHAIN=auto
export PATH
# github.com/hraban/opus without reading Opus files, which needs another library.
case " ${GOFLAGS:-} " in
  *nolibopusfile*) ;;
  *) export GOFLAGS="${GOFLAGS:-} -tags=nolibopusfile" ;;
esac

say() { printf '%s\n' "$*" >&2; }

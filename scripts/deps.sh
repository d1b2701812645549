#!/bin/bash
# Installs the Debian packages that are missing for a purpose, after saying
# which and asking.
#
#   scripts/deps.sh build|test|demo|bench [--yes]
#
# Asks nothing with --yes or without a terminal. Installs as root or by sudo.
# Ends with 0 when nothing is missing (any more), 1 when installing failed or
# was refused, 2 when it cannot install here.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. scripts/packages.sh
. scripts/apt.sh

usage() { say "usage: scripts/deps.sh build|test|demo|bench [--yes]"; exit 2; }

# go_serves says whether the Go that is here can build the project: 1.21 is the
# first that fetches the Go that go.mod asks for.
go_serves() {
  local version
  version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) || return 1
  version=${version#go}
  local major=${version%%.*} rest=${version#*.}
  local minor=${rest%%[!0-9]*}
  [ "$major" -gt 1 ] || [ "${minor:-0}" -ge 21 ]
}

# installed says whether a package is. dpkg knows removed ones, too.
installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# debian_release prints 12 on Debian 12. OS_RELEASE lets tests pretend.
debian_release() (
  # shellcheck disable=SC1090
  . "${OS_RELEASE:-/etc/os-release}"
  [ "${ID:-}" = debian ] && printf '%s\n' "${VERSION_ID:-0}"
)

# elsewhere is for systems that are not Debian 12 or newer: it can only look.
elsewhere() {
  local missing=()
  go_serves || missing+=("Go 1.21 or newer")
  command -v make >/dev/null || missing+=(make)
  if command -v cc >/dev/null; then
    has_header jack/jack.h || missing+=("the headers of JACK")
    has_header opus/opus.h || missing+=("the headers of libopus")
    command -v pkg-config >/dev/null || missing+=(pkg-config)
    has_header pipewire/pipewire.h || missing+=("the headers of libpipewire 0.3")
  else
    missing+=("a C compiler, the headers of JACK and of libpipewire 0.3")
  fi
  if [ "$purpose" != build ]; then
    local program
    for program in jackd jack_wait jack_lsp pipewire pw-link wireplumber scsynth dbus-daemon; do
      command -v "$program" >/dev/null || missing+=("$program")
    done
  fi
  [ "${#missing[@]}" -eq 0 ] && exit 0
  say "This is not Debian 12 or newer, so nothing can be installed from here. Missing:"
  printf '  %s\n' "${missing[@]}" >&2
  exit 2
}

has_header() {
  printf '#include <%s>\n' "$1" |
    cc -I/usr/include/pipewire-0.3 -I/usr/include/spa-0.2 -fsyntax-only -xc - 2>/dev/null
}

# confirm asks, where there is somebody to ask.
confirm() {
  if [ "$yes" = yes ] || [ ! -t 0 ]; then return 0; fi
  local answer
  read -r -p "Install? [Y/n] " answer || answer=no # end of input is no yes
  case $answer in '' | [Yy]*) return 0 ;; esac
  say "Nothing was installed."
  return 1
}

purpose=${1:-}
yes=no
case ${2:-} in '') ;; --yes) yes=yes ;; *) usage ;; esac
case $purpose in build | test | demo | bench) ;; *) usage ;; esac

release=$(debian_release 2>/dev/null) || elsewhere
[ "${release%%.*}" -ge 12 ] || elsewhere

missing=()
for package in $(packages "$purpose" "$release"); do
  installed "$package" || missing+=("$package")
done
from_backports=()
if ! go_serves; then
  if [ "$release" -ge 13 ]; then
    missing+=(golang-go)
  else
    from_backports=(golang-go golang-src)
  fi
fi
if [ $((${#missing[@]} + ${#from_backports[@]})) -eq 0 ]; then exit 0; fi

wanted=("${missing[@]}" "${from_backports[@]}")
say "To $purpose archibald-bridge, these Debian packages and what they depend on will be installed:"
say "  ${wanted[*]}"
backports=
if [ "${#from_backports[@]}" -gt 0 ] && ! apt_has bookworm-backports; then
  backports=$(apt_source bookworm bookworm-backports) ||
    { say "apt reads no suite bookworm of Debian, so there is no place to take backports from."; exit 1; }
  backports_file=/etc/apt/sources.list.d/archibald-backports.$(apt_ending "$backports")
  say "Debian 12's own Go is too old. This apt source will be added, as $backports_file:"
  printf '%s\n' "$backports" | sed 's/^/  /' >&2
fi
confirm || exit 1

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { say "Not root, and there is no sudo: run this script as root."; exit 2; }
  as_root=(sudo)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# jackd2 asks whether to give real-time rights to the group audio; nobody may
# be there to answer, so debconf takes its default (no). What apt-get prints,
# some 500 lines, is shown only when it fails.
apt() {
  local status=0
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y "$@" </dev/null >"$log" 2>&1 || status=$?
  [ "$status" -eq 0 ] || cat "$log" >&2
  return "$status"
}

say "Installing; this takes a minute or two."

if [ -n "$backports" ]; then
  printf '%s\n' "$backports" | "${as_root[@]}" tee "$backports_file" >/dev/null
fi
apt update || say "Not every apt source could be read; trying with what there is."
if [ "${#missing[@]}" -gt 0 ]; then
  apt install --no-install-recommends "${missing[@]}"
fi
if [ "${#from_backports[@]}" -gt 0 ]; then
  apt install --no-install-recommends -t bookworm-backports "${from_backports[@]}"
fi

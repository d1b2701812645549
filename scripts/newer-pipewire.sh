#!/bin/bash
# Unpacks the PipeWire of Debian 12's backports into a folder, beside the one that
# is installed, which is not touched: scripts/newer-pipewire.sh FOLDER
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. scripts/apt.sh

[ $# -eq 1 ] || { say "usage: scripts/newer-pipewire.sh FOLDER"; exit 2; }
folder=$(realpath -m "$1")
[ -x "$folder/usr/bin/pipewire" ] && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/sources"
source=$(apt_source bookworm bookworm-backports) || { say "apt reads no suite bookworm of Debian."; exit 1; }
printf '%s\n' "$source" >"$work/sources/backports.$(apt_ending "$source")"
apt=(apt-get -qq -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$work/sources"
  -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
mkdir -p "$folder"
"${apt[@]}" update
cd "$work"
"${apt[@]}" download pipewire pipewire-bin pipewire-jack libpipewire-0.3-0 libpipewire-0.3-modules libspa-0.2-modules
for package in *.deb; do dpkg -x "$package" "$folder"; done
sed -i "s|'/usr/|'$folder/usr/|" "$folder/usr/bin/pw-jack"

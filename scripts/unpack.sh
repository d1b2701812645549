#!/bin/bash
# Unpacks one program of another Debian suite and everything that it needs, the C library
# included, into a folder: scripts/unpack.sh SUITE PROGRAM FOLDER PACKAGE...
# Nothing is installed. FOLDER/bin/PROGRAM starts it, FOLDER/version is the first package's,
# FOLDER/client has what installed programs need to use PipeWire's library from there.
# A folder that is complete already is left as it is.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. scripts/apt.sh

[ $# -ge 4 ] || { say "usage: scripts/unpack.sh SUITE PROGRAM FOLDER PACKAGE..."; exit 2; }
suite=$1 program=$2 folder=$(realpath -m "$3")
shift 3
[ -x "$folder/bin/$program" ] && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/sources" "$work/state"
suites=("$suite")
# Backports lean on the release that they are for.
case $suite in *-backports) suites+=("${suite%-backports}") ;; esac
# shellcheck disable=SC1090
own=$(. "${OS_RELEASE:-/etc/os-release}"; printf '%s\n' "${VERSION_CODENAME:-}")
for one in "${suites[@]}"; do
  source=$(apt_source "$own" "$one") || { say "apt reads no suite of Debian called \"$own\", so there is no place to take $suite from."; exit 1; }
  printf '%s\n' "$source" >"$work/sources/$one.$(apt_ending "$source")"
done
# With no package installed apt lists every single one that is needed.
: >"$work/state/status"
apt=(apt-get -qq -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$work/sources"
  -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
  -o "Dir::State=$work/state" -o "Dir::State::Status=$work/state/status" -o "Dir::State::Lists=$work/lists"
  -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root -o Debug::NoLocking=1)
"${apt[@]}" update
"${apt[@]}" -y --no-install-recommends --download-only -t "$suite" install "$@"

rm -rf "$folder.new"
mkdir -p "$folder.new/bin"
# The suites have /lib as a link to /usr/lib; packages say /usr/lib or /lib.
for name in bin lib lib64; do mkdir -p "$folder.new/root/usr/$name" && ln -s "usr/$name" "$folder.new/root/$name"; done
for package in "$work"/cache/archives/*.deb; do dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$folder.new/root"; done
dpkg-deb -f "$work"/cache/archives/"$1"_*.deb Version >"$folder.new/version"

# The loader is the program that the kernel starts, so it must be named. libjack stays the
# installed one: it has to fit the server. Some libraries lie in folders of their own.
cat >"$folder.new/bin/$program" <<END
#!/bin/sh
lib=$folder/root/usr/lib/$(gcc -print-multiarch 2>/dev/null || echo x86_64-linux-gnu)
export PIPEWIRE_MODULE_DIR="\$lib/pipewire-0.3" SPA_PLUGIN_DIR="\$lib/spa-0.2" QT_PLUGIN_PATH="\$lib/qt6/plugins"
exec "\$lib/ld-linux-x86-64.so.2" --argv0 $program --library-path "$folder/jack:\$lib:\$lib/libproxy:\$lib/pulseaudio" "$folder/root/usr/bin/$program" "\$@"
END
chmod +x "$folder.new/bin/$program"
mkdir "$folder.new/jack"
jack=$(ldconfig -p | sed -n 's|.*libjack\.so\.0 .* => ||p' | head -n 1)
[ -z "$jack" ] || ln -s "$jack" "$folder.new/jack/libjack.so.0"
# PipeWire's library alone, for programs that are installed and share their C library.
mkdir "$folder.new/client"
for name in libpipewire-0.3.so.0 pipewire-0.3 spa-0.2; do
  found=$(echo "$folder.new"/root/usr/lib/*/"$name")
  [ ! -e "$found" ] || ln -s "../${found#"$folder.new/"}" "$folder.new/client/$name"
done
rm -rf "$folder"
mv "$folder.new" "$folder"

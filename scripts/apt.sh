# Sourced by deps.sh and newer-pipewire.sh: apt's source of another suite, from wherever this
# machine has Debian from. Mirror, protocol, keys and options are the user's choice.
# shellcheck shell=bash

# apt_entries lists each suite of Debian's main that apt reads, which entry of a file says
# so, and the file. apt reads its own files for that; it need not have fetched any list.
apt_entries() {
  # shellcheck disable=SC2016 # apt's variables
  apt-get indextargets --no-release-info --format '$(RELEASE) $(SOURCESENTRY) $(METAKEY)' 'Created-By: Packages' |
    sed -nE 's|^([^ ]+) (.+):([0-9]+) main/binary-[^ ]*/Packages$|\1 \3 \2|p'
}

# apt_has SUITE says whether apt reads a suite already.
apt_has() { apt_entries | grep "^$1 " >/dev/null; }

# apt_source SUITE OTHER prints an entry that is the one of SUITE with another suite.
apt_source() {
  local number file
  read -r _ number file < <(apt_entries | grep "^$1 ") || return 1
  case $file in
    *.sources) # deb822: an entry is a paragraph, a field may have further lines
      awk -v wanted="$number" -v other="$2" '
        /^#/ { next }
        /^[ \t]*$/ { inside = 0; next }
        !inside { inside = 1; entry++ }
        entry != wanted { next }
        /^[^ \t]/ { field = tolower($1); first = 1 }
        field == "types:" { if (first) print "Types: deb" }
        field == "suites:" { if (first) print "Suites: " other }
        field == "components:" { if (first) print "Components: main" }
        field !~ /^(types|suites|components):$/
        { first = 0 }' "$file"
      ;;
    *) # one line: deb [options] uri suite components
      sed -nE "${number}s|^[ \t]*deb[ \t]+(\\[[^]]*\\][ \t]+)?([^ \t]+)[ \t]+.*|deb \\1\\2 $2 main|p" "$file"
      ;;
  esac
}

# apt_ending tells from an entry how the name of its file must end.
apt_ending() { case $1 in "deb "*) echo list ;; *) echo sources ;; esac; }

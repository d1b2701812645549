# Sourced by deps.sh: the Debian packages that each purpose needs. This is the
# only place that names them.
# shellcheck shell=bash

# packages PURPOSE DEBIAN_RELEASE prints them, one a line.
packages() {
  case $1 in
    build)
      # ca-certificates: Go fetches modules over HTTPS.
      printf '%s\n' ca-certificates gcc libc6-dev make libjack-jackd2-dev libopus-dev libpipewire-0.3-dev pkg-config
      ;;
    demo)
      packages build "$2"
      # pipewire-jack: to record what reaches the host's sink. dbus-daemon and
      # procps: what the stack runs under, and how it is watched.
      printf '%s\n' jackd2 pipewire pipewire-bin pipewire-jack wireplumber supercollider-server dbus-daemon procps
      # Debian 13 took jack_wait, jack_lsp and jack_iodelay out of jackd2.
      [ "$2" -ge 13 ] && printf '%s\n' jack-example-tools
      ;;
    test)
      packages demo "$2"
      # clang and its run-time library: sanitizers and the C fuzzer. git: the version.
      # iproute2: networks for pretended machines. rtkit: asked for real-time threads,
      # on a bus of the test's own. nix-bin: reads the NixOS modules. portaudio19-dev: the
      # build tag portaudio.
      printf '%s\n' git iproute2 nix-bin rtkit portaudio19-dev
      packages peers "$2"
      if [ "$2" -ge 13 ]; then
        printf '%s\n' clang libclang-rt-dev
      else
        printf '%s\n' clang-14 libclang-rt-14-dev
      fi
      ;;
    bench)
      packages demo "$2"
      # cyclictest, networks for pretended machines, a counter of system calls, and the
      # bridges to compare with.
      printf '%s\n' git iproute2 linux-perf rt-tests zita-njbridge jacktrip
      packages peers "$2"
      ;;
    peers)
      # Other programs' RTP, and a judge of it.
      printf '%s\n' gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good ffmpeg tshark
      ;;
    *) return 1 ;;
  esac
  return 0
}

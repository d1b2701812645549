# jackd, PipeWire and both ends in the build sandbox, without a VM: the very commands
# of the evaluated units.
{
  pkgs,
  archibaldos,
  host,
}:

let
  inherit (pkgs) lib;
  vmUnits = archibaldos.config.systemd.user.services;
  hostUnits = host.config.systemd.user.services;
  command = unit: unit.serviceConfig.ExecStart;
in
pkgs.runCommand "archibald-bridge-sandbox"
  {
    nativeBuildInputs = [
      pkgs.curl
      pkgs.dbus
      pkgs.jack-example-tools
      pkgs.jq
      pkgs.pipewire
      pkgs.wireplumber
    ];
  }
  ''
    export HOME=$PWD XDG_RUNTIME_DIR=$PWD/run JACK_NO_AUDIO_RESERVATION=1
    mkdir -m 700 run
    # No real-time rights here, and a machine that may stall: as it is, but at a longer period.
    ${builtins.replaceStrings [ "-R -P75 " "-p ${toString archibaldos.config.archibaldos.audio.period}" ] [ "-r " "-p 1024" ] (command vmUnits.jackd)} &
    jack_wait --wait --timeout 30
    pipewire &
    dbus-run-session -- wireplumber &
    ${command hostUnits.archibald-bridge-host} --listen 127.0.0.2:4713 --latency 100ms &
    ${command vmUnits.archibald-bridge-guest} --listen 127.0.0.1:4713 --peer 127.0.0.2 --latency 100ms &
    for end in 8713 8714; do
      for try in $(seq 300); do
        state=$(curl -s 127.0.0.1:$end/api/v1/status | jq -r .directions.receive.state || true)
        [ "$state" = running ] && break
        sleep 0.1
      done
      [ "$state" = running ] || { echo "end $end: $state"; exit 1; }
    done
    touch $out
  ''

# PipeWire, and the bridge's host end in the player's session.
{ config, lib, ... }:

let
  inherit (lib) mkOption types;
  cfg = config.archibaldHost.audio;
  vm = config.archibaldHost.vm.config;
in
{
  options.archibaldHost.audio = {
    rate = mkOption {
      type = types.ints.between 8000 192000;
      default = 48000;
      description = "Sample rate in Hz. The VM must run at the same.";
    };
    quantum = mkOption {
      type = types.ints.between 16 8192;
      default = 256;
      description = "PipeWire's quantum in frames when nobody asks for less.";
    };
    minQuantum = mkOption {
      type = types.ints.between 16 8192;
      default = 32;
      description = "The least quantum in frames that a program may ask for.";
    };
    bridgePeriod = mkOption {
      type = types.ints.between 16 8192;
      default = 64;
      description = "The period in frames that the bridge asks of PipeWire while a session is up.";
    };
  };

  config = {
    assertions = [
      {
        # jackd with the driver netone keeps its period and its rate for life.
        assertion =
          (vm.archibaldos.audio.driver or "") != "netone"
          || vm.archibaldos.audio.period == cfg.bridgePeriod && vm.archibaldos.audio.rate == cfg.rate;
        message = "archibaldHost.audio.bridgePeriod and .rate are ${toString cfg.bridgePeriod} and ${toString cfg.rate}, archibaldos.audio.period and .rate of the VM are not: the host's packets drive its jackd, so they must be the same.";
      }
    ];

    services.pipewire = {
      enable = true;
      alsa.enable = true;
      alsa.support32Bit = true;
      pulse.enable = true;
      jack.enable = true;
      extraConfig.pipewire."10-archibald-host"."context.properties" = {
        "default.clock.rate" = cfg.rate;
        "default.clock.quantum" = cfg.quantum;
        "default.clock.min-quantum" = cfg.minQuantum;
      };
    };
    security.rtkit.enable = true;

    services.archibald-bridge.host = {
      enable = true;
      settings.host-period = cfg.bridgePeriod;
      firewallInterfaces = [ config.archibaldHost.network.bridge ];
    };
  };
}

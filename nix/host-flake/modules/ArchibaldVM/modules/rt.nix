# The PREEMPT_RT kernel, and processors that are kept for audio.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (lib) mkOption types;
  cfg = config.archibaldos.rt;
  list = lib.concatMapStringsSep "," toString cfg.isolatedCores;
in
{
  options.archibaldos.rt = {
    isolatedCores = mkOption {
      type = types.listOf types.ints.positive;
      default = [
        2
        3
      ];
      example = [ ];
      description = ''
        Processors of this VM that only audio runs on. Processor 0 cannot be one of
        them. Empty: none, for a VM of one or two processors.
      '';
    };
    idle = mkOption {
      type = types.enum [
        "poll"
        "haltpoll"
        "halt"
      ];
      default = "poll";
      description = ''
        What a processor without work does. poll: it spins, so that no wake-up
        costs time, and the host's processors under it are never idle. haltpoll: it
        spins for a while. halt: it gives its time back at once, and every wake-up
        costs an exit to the host.
      '';
    };
  };

  config = {
    musnix = {
      enable = true;
      kernel.realtime = true;
      rtcqs.enable = true;
    };

    # Appended to what NixOS and musnix set themselves.
    boot.kernelParams =
      lib.optionals (cfg.isolatedCores != [ ]) [
        "isolcpus=managed_irq,domain,${list}"
        "nohz_full=${list}"
        "rcu_nocbs=${list}"
      ]
      ++ {
        poll = [ "idle=poll" ];
        haltpoll = [ "cpuidle_haltpoll.force=1" ];
        halt = [ ];
      }
      .${cfg.idle};

    # Packets come by an interrupt thread and ksoftirqd. jackd runs at 75: below it
    # they would wait for the end of its cycle.
    systemd.services.archibaldos-network-priority = {
      description = "Run the network's interrupt threads before jackd";
      wantedBy = [ "multi-user.target" ];
      after = [ "network-pre.target" ];
      path = [
        pkgs.procps
        pkgs.util-linux
      ];
      script = ''
        for thread in $(pgrep '^irq/.*virtio' || true); do chrt --fifo --pid 85 "$thread"; done
        for thread in $(pgrep '^ksoftirqd/'); do chrt --fifo --pid 84 "$thread"; done
      '';
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
    };

    # The host's clock, by which the latency is known without guessing.
    boot.kernelModules = [ "ptp_kvm" ];
    services.udev.extraRules = ''
      SUBSYSTEM=="ptp", ATTR{clock_name}=="KVM virtual PTP", GROUP="audio", MODE="0640"
    '';
  };
}

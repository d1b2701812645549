# A JACK server, SuperCollider, and the bridge's guest end, all of audio-user.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (lib) mkOption types;
  cfg = config.archibaldos.audio;
  isolated = config.archibaldos.rt.isolatedCores;

  # isolcpus takes processors out of load balancing: what is to run there must be
  # put there. Clients and server of a chain run one after the other, so they share
  # one; synthesis has the other.
  graphCPU = lib.optional (isolated != [ ]) (lib.head isolated);
  synthCPU = lib.optional (isolated != [ ]) (lib.last isolated);
  on = cpus: lib.optionalAttrs (cpus != [ ]) { CPUAffinity = map toString cpus; };

  usesJackd = cfg.server == "jackd";
  bridge = config.services.archibald-bridge.guest.settings;
  follows = bridge.clock == "follow";
  # What follows is the server of the bridge's backend, where that is PipeWire itself.
  drivesJackd = follows && usesJackd && bridge.backend != "pipewire";

  # What jackd's cycles come from.
  drivers = {
    dummy = "-d dummy -r ${toString cfg.rate} -p ${toString cfg.period} -C 2 -P 2";
    # -S: a cycle ends before the next one begins. What the bridge sends starts it; its
    # sound does not pass through the driver.
    netone = "-S -d netone -r ${toString cfg.rate} -p ${toString cfg.period} -l ${toString bridge.netone-port}";
    alsa = "-d alsa -d ${cfg.device} -r ${toString cfg.rate} -p ${toString cfg.period} -n 2";
  };
  server = if usesJackd then "jackd.service" else "pipewire.service";

  realTime = {
    LimitRTPRIO = 95;
    LimitMEMLOCK = "infinity";
    Restart = "always";
    RestartSec = 1;
  };

  # Programs are linked with jackd's library. PipeWire brings its own.
  jackLibrary = lib.optionalAttrs (!usesJackd) {
    LD_LIBRARY_PATH = "${config.services.pipewire.package.jack}/lib";
  };

  unit =
    settings:
    lib.recursiveUpdate {
      wantedBy = [ "default.target" ];
      unitConfig = {
        ConditionUser = "audio-user";
        StartLimitIntervalSec = 0;
      };
    } settings;

  superCollider = pkgs.supercollider-with-sc3-plugins;
  # A block longer than the period is silence that looks healthy.
  blockSize = lib.min 64 cfg.period;
  scsynthOptions = "-S ${toString cfg.rate} -i ${toString cfg.channels} -o ${toString cfg.channels} -z ${toString blockSize}";
  superColliderPorts = {
    SC_JACK_DEFAULT_INPUTS = "archibald-from-host";
    SC_JACK_DEFAULT_OUTPUTS = "archibald-to-host";
  };
  waitForServer = lib.optionalString usesJackd "${pkgs.jack-example-tools}/bin/jack_wait --wait --timeout 30";
  sclangFile = pkgs.writeText "archibaldos.scd" ''
    Server.default.options
      .sampleRate_(${toString cfg.rate})
      .blockSize_(${toString blockSize})
      .numInputBusChannels_(${toString cfg.channels})
      .numOutputBusChannels_(${toString cfg.channels});
    ${cfg.superCollider.program}
  '';
in
{
  options.archibaldos.audio = {
    server = mkOption {
      type = types.enum [
        "jackd"
        "pipewire"
      ];
      default = "jackd";
      description = "The JACK server: jackd, or PipeWire.";
    };
    driver = mkOption {
      type = types.enum (lib.attrNames drivers);
      default = if drivesJackd then "netone" else "dummy";
      defaultText = lib.literalMD "`netone` where the bridge's clock is `follow` and it makes jackd follow, else `dummy`";
      description = "What jackd's cycles come from: a timer (dummy), the host's packets (netone, when the host leads), or a sound card that the VM owns (alsa).";
    };
    device = mkOption {
      type = types.strMatching "[A-Za-z0-9_:,=.-]+";
      default = "hw:0";
      description = "The sound card of the driver alsa.";
    };
    netonePort = mkOption {
      type = types.ints.between 1 65535;
      default = 3000;
      description = "UDP port on which the driver netone takes cycles from the bridge, on this machine.";
    };
    rate = mkOption {
      type = types.ints.between 8000 192000;
      default = 48000;
      description = "Sample rate in Hz. The host must run at the same.";
    };
    period = mkOption {
      type = types.ints.between 16 8192;
      default = 32;
      description = "Period in frames; 32 at 48 kHz are 0.67 ms.";
    };
    channels = mkOption {
      type = types.ints.between 1 8;
      default = 2;
      description = "Channels in each direction, of SuperCollider and the bridge.";
    };
    host = mkOption {
      type = types.str;
      default = "192.168.122.1";
      description = "Where the host end of the bridge is.";
    };
    superCollider = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether scsynth runs, connected to the bridge in both directions.";
      };
      program = mkOption {
        type = types.lines;
        default = "";
        example = "s.boot; s.doWhenBooted({ { SinOsc.ar(440, 0, 0.1) ! 2 }.play });";
        description = "What sclang runs at start. Empty: scsynth alone, which a program of yours drives by OSC on port 57110.";
      };
    };
  };

  config = {
    assertions = [
      {
        assertion = cfg.server == "jackd" || cfg.period >= 32;
        message = "archibaldos.audio.period = ${toString cfg.period}: PipeWire as JACK server needs at least 32.";
      }
      {
        assertion = usesJackd || cfg.driver == "dummy";
        message = "archibaldos.audio.driver = ${cfg.driver}: only jackd has it; archibaldos.audio.server is ${cfg.server}.";
      }
      {
        assertion = !drivesJackd || cfg.driver == "netone";
        message = "archibaldos.audio.driver = ${cfg.driver}: with the clock follow the host's packets drive jackd, which only the driver netone lets them.";
      }
      {
        assertion = !follows || usesJackd || bridge.backend == "pipewire";
        message = "services.archibald-bridge.guest.settings.clock = follow: PipeWire follows only by the bridge's backend pipewire; archibaldos.audio.server is ${cfg.server}.";
      }
      {
        assertion = cfg.driver != "netone" || !(lib.elem bridge.netone-port [ null 0 ]);
        message = "services.archibald-bridge.guest.settings.netone-port: the driver netone needs a port.";
      }
    ];

    services.pipewire = {
      enable = true;
      alsa.enable = true;
      pulse.enable = true;
      jack.enable = !usesJackd;
      extraConfig.pipewire."10-archibaldos" = {
        "context.properties" = {
          "default.clock.rate" = cfg.rate;
          "default.clock.allowed-rates" = [ cfg.rate ];
          "default.clock.quantum" = cfg.period;
          "default.clock.min-quantum" = cfg.period;
        };
        # In a virtual machine PipeWire raises the least quantum to 1024. The last rule counts.
        "context.properties.rules" = [
          {
            matches = [ { "cpu.vm.name" = "!null"; } ];
            actions."update-props"."default.clock.min-quantum" = cfg.period;
          }
        ];
      };
    };
    security.rtkit.enable = true;

    systemd.user.services = {
      jackd = lib.mkIf usesJackd (unit {
        description = "JACK server";
        serviceConfig =
          realTime
          // on graphCPU
          // {
            ExecStart = "${pkgs.jack2}/bin/jackd -R -P75 ${drivers.${cfg.driver}}";
          };
      });

      scsynth = lib.mkIf (cfg.superCollider.enable && cfg.superCollider.program == "") (unit {
        description = "SuperCollider's synthesis server";
        after = [ server ];
        bindsTo = [ server ];
        environment = jackLibrary // superColliderPorts;
        serviceConfig = realTime // on synthCPU // {
          # scsynth does not wait for its server.
          ExecStartPre = waitForServer;
          ExecStart = "${superCollider}/bin/scsynth -u 57110 -B 127.0.0.1 ${scsynthOptions}";
        };
      });

      sclang = lib.mkIf (cfg.superCollider.enable && cfg.superCollider.program != "") (unit {
        description = "SuperCollider's language, which starts the synthesis server";
        after = [ server ];
        bindsTo = [ server ];
        environment = jackLibrary // superColliderPorts // {
          QT_QPA_PLATFORM = "offscreen";
        };
        serviceConfig = realTime // on synthCPU // {
          ExecStartPre = waitForServer;
          ExecStart = "${superCollider}/bin/sclang ${sclangFile}";
        };
      });

      archibald-bridge-guest.environment = jackLibrary;
    };

    services.archibald-bridge.guest = {
      enable = true;
      user = "audio-user";
      cpus = graphCPU;
      settings = {
        peer = cfg.host;
        inherit (cfg) channels;
        # Also with the clock auto, where only the host says that it leads.
        netone-port = lib.mkIf (cfg.driver == "netone") (lib.mkDefault cfg.netonePort);
        connect = [
          "SuperCollider:out_* -> archibald-to-host:in_*"
          "archibald-from-host:out_* -> SuperCollider:in_*"
        ];
      };
    };

    environment.systemPackages = [
      superCollider
      pkgs.jack2
      pkgs.jack-example-tools
      pkgs.rt-tests
    ];
  };
}

# Tier 2: the bridge's module with nixpkgs' lib alone, or the stand-in for it. What
# else it sets is taken as it comes. Every attribute must be true.
{ lib }:

let
  cases = lib.importJSON ./cases.json;
  store = "/nix/store/00000000000000000000000000000000-";

  standIn = {
    options = {
      assertions = lib.mkOption { type = lib.types.listOf lib.types.raw; };
      boot = lib.mkOption { type = lib.types.attrsOf lib.types.anything; };
      environment.systemPackages = lib.mkOption { type = lib.types.listOf lib.types.raw; };
      networking = lib.mkOption {
        type = lib.types.attrsOf lib.types.anything;
        default = { };
      };
      services.udev.extraRules = lib.mkOption { type = lib.types.lines; };
      systemd = lib.mkOption {
        type = lib.types.attrsOf lib.types.anything;
        default = { };
      };
    };
    config._module.args.pkgs = lib.genAttrs [ "jack2" "jack-example-tools" "rt-tests" "supercollider-with-sc3-plugins" ] (
      name: store + name
    ) // {
      callPackage = _: _: {
        type = "derivation";
        name = "archibald-bridge";
        outPath = "${store}archibald-bridge";
        meta.mainProgram = "archibald-bridge";
      };
      formats.toml = _: { generate = _: value: builtins.toJSON value; };
      runCommand = name: _: _: store + name;
    };
  };
  evaluate =
    settings:
    (lib.evalModules {
      modules = [
        ../modules/bridge.nix
        standIn
        { services.archibald-bridge = settings; }
      ];
    }).config;

  # Modules of the VM or the host other than the bridge's.
  system =
    modules:
    (lib.evalModules {
      modules = [
        ../modules/bridge.nix
        standIn
      ]
      ++ modules;
    }).config;
  vm = system [
    ../host-flake/modules/ArchibaldVM/modules/secret.nix
    {
      archibaldos.secret.enable = true;
      services.archibald-bridge.guest = {
        enable = true;
        user = "audio-user";
      };
    }
  ];
  hostOf =
    vm:
    system [
      ../host-flake/modules/secret.nix
      ../host-flake/modules/network.nix
      {
        options.archibaldHost.vm = lib.mkOption { type = lib.types.raw; };
        config = {
          archibaldHost = {
            inherit vm;
            secretFile = "/home/player/bridge.secret";
            network.vmAddress = "10.1.0.2";
          };
          services.archibald-bridge.host.enable = true;
        };
      }
    ];
  host = hostOf { config = vm; };

  # The VM and the host with their audio; whatever else they set is accepted.
  audioStandIn = {
    options = {
      archibaldos.rt.isolatedCores = lib.mkOption {
        type = lib.types.listOf lib.types.raw;
        default = [ ];
      };
      archibaldHost.vm = lib.mkOption { type = lib.types.raw; };
      security = lib.mkOption { type = lib.types.attrsOf lib.types.anything; };
      services.pipewire = lib.mkOption { type = lib.types.attrsOf lib.types.anything; };
    };
  };
  vmWith =
    settings:
    system [
      audioStandIn
      ../host-flake/modules/ArchibaldVM/modules/audio.nix
      settings
    ];
  jackdOf = vm: lib.removePrefix "${store}jack2/bin/" vm.systemd.user.services.jackd.serviceConfig.ExecStart;
  netonePortOf = vm: vm.services.archibald-bridge.guest.settings.netone-port;
  wrong = config: map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);
  following = {
    services.archibald-bridge.guest.settings.clock = "follow";
  };
  hostWith =
    vm: settings:
    system [
      audioStandIn
      ../host-flake/modules/audio.nix
      ../host-flake/modules/network.nix
      { config.archibaldHost.vm.config = vm; }
      { config.archibaldHost = settings; }
    ];

  # The units of the test on real servers, which tier 3 compares with the whole systems.
  units = lib.importJSON ../units/units.json;

  accepts =
    end: settings:
    (builtins.tryEval (
      builtins.deepSeq (evaluate { ${end} = { inherit settings; }; }).services.archibald-bridge.${end}.settings true
    )).success;
  refuses = settings: !(accepts "guest" settings);

  # The values of each key, "right" or "wrong", that an end does not treat as such.
  # The secret's file is an option of its own.
  mistaken =
    end: kind:
    lib.concatMap (
      case:
      map (value: "${case.key} = ${builtins.toJSON value}") (
        lib.filter (value: accepts end { ${case.key} = value; } != (kind == "right")) case.${kind}
      )
    ) (lib.filter (case: case.key != "secret-file") cases.${end});
  none = list: if list == [ ] then true else list;

  guest = evaluate {
    guest = {
      enable = true;
      user = "audio-user";
      cpus = [ 2 3 ];
      settings.listen = "192.168.122.2:5000";
      firewallInterfaces = [ "eth0" ];
    };
  };
  unit = guest.systemd.user.services.archibald-bridge-guest;
in
{
  "nothing is there unless it is enabled" = (evaluate { }).systemd == { } && (evaluate { }).networking == { };
  "every right value of every key of the guest is taken" = none (mistaken "guest" "right");
  "and of the host" = none (mistaken "host" "right");
  "every wrong value of every key of the guest is refused" = none (mistaken "guest" "wrong");
  "and also of the host" = none (mistaken "host" "wrong");
  "a format that does not exist is refused" = refuses { format = "L99"; };
  "a mistyped key is refused" = refuses { chanels = 2; };
  "a value that does not exist is refused" = refuses { cpu-sleep = "never"; };
  "a number is no text" = refuses { peer = 4713; };
  "a host's key is not the guest's" = refuses { host-period = 64; };
  "the unit runs the program with the configuration" =
    unit.serviceConfig.ExecStart
    == "${store}archibald-bridge/bin/archibald-bridge guest --config ${store}archibald-bridge-guest.toml";
  "who may call is a list, in the file a text" =
    (evaluate { guest.allow = [ "127.0.0.0/8" "10.0.0.7" ]; }).services.archibald-bridge.guest.settings.allow
    == "127.0.0.0/8,10.0.0.7";
  "nobody is a list, too" = (evaluate { host.allow = [ ]; }).services.archibald-bridge.host.settings.allow == "";
  "unless it is set the program decides" = guest.services.archibald-bridge.guest.settings.allow == null;
  "two lists of who may call are a mistake" =
    !(builtins.tryEval (evaluate { guest = { allow = [ "::1" ]; settings.allow = "10.0.0.7"; }; }).services.archibald-bridge.guest.settings.allow).success;
  "the secret's file is handed to the program, and is not in its configuration" =
    let
      proven = evaluate { host = { enable = true; secretFile = "/home/player/bridge.secret"; }; };
    in
    lib.hasSuffix " --secret-file /home/player/bridge.secret" proven.systemd.user.services.archibald-bridge-host.serviceConfig.ExecStart
    && !(proven.services.archibald-bridge.host.settings ? secret-file);
  "a secret in the store is refused, or one that would go there" = lib.all (
    file: !(builtins.tryEval (evaluate { host.secretFile = file; }).services.archibald-bridge.host.secretFile).success
  ) [ "${store}secret" ./types.nix "bridge.secret" "/a b" "" ];
  "the VM's end takes the secret that systemd was handed" =
    let
      service = vm.systemd.services.archibald-bridge-secret;
      path = lib.removePrefix "/run/" vm.services.archibald-bridge.guest.secretFile;
    in
    lib.hasInfix "-m 0400 -o audio-user \"$CREDENTIALS_DIRECTORY/${service.serviceConfig.LoadCredential}\" /run/${path}\n" service.script
    && dirOf path == service.serviceConfig.RuntimeDirectory
    && lib.elem "systemd-user-sessions.service" service.before;
  "the host's end proves it, and hands it to the VM" =
    lib.hasSuffix " --secret-file /home/player/bridge.secret" host.systemd.user.services.archibald-bridge-host.serviceConfig.ExecStart
    && host.systemd.services.archibaldos-vm.serviceConfig.LoadCredential == "bridge-secret:/home/player/bridge.secret";
  "which must want it" =
    (lib.head host.assertions).assertion
    && !(lib.head (hostOf { config.archibaldos.secret.enable = false; }).assertions).assertion;
  "a VM in another network may call" = host.services.archibald-bridge.host.settings.allow == "127.0.0.0/8,::1/128,10.1.0.2";
  "for the user, on the processors" =
    unit.unitConfig.ConditionUser == "audio-user" && unit.serviceConfig.CPUAffinity == [ "2" "3" ];
  "with real-time rights" = unit.serviceConfig.LimitRTPRIO == 95 && unit.serviceConfig.LimitMEMLOCK == "infinity";
  "its port is opened on the interface, for TCP and UDP" =
    guest.networking.firewall.interfaces == {
      eth0 = {
        allowedTCPPorts = [ 5000 ];
        allowedUDPPorts = [ 5000 ];
      };
    };
  "a host for several guests has a UDP port for each" =
    (evaluate {
      host = {
        enable = true;
        user = "player";
        settings.guests = 3;
        firewallInterfaces = [ "br0" ];
      };
    }).networking.firewall.interfaces.br0 == {
      allowedTCPPorts = [ 4713 ];
      allowedUDPPorts = [ 4713 4714 4715 ];
    };
  "the VM's jackd has a timer, and the bridge expects no other" =
    jackdOf (vmWith { }) == "jackd -R -P75 -d dummy -r 48000 -p 32 -C 2 -P 2"
    && jackdOf (vmWith { }) == units.default.vm.units.jackd.command
    && netonePortOf (vmWith { }) == null
    && wrong (vmWith { }) == [ ];
  "where the bridge follows, its packets drive jackd" =
    let
      vm = vmWith {
        config = following // { archibaldos.audio.period = 256; };
      };
    in
    jackdOf vm == "jackd -R -P75 -S -d netone -r 48000 -p 256 -l 3000"
    && jackdOf vm == units.locked.vm.units.jackd.command
    && lib.filterAttrs (_: value: value != null) vm.services.archibald-bridge.guest.settings == units.locked.vm.settings
    && wrong vm == [ ];
  "or where the driver says so, on another port" =
    let
      vm = vmWith {
        config.archibaldos.audio = {
          driver = "netone";
          netonePort = 3001;
        };
      };
    in
    lib.hasSuffix " -l 3001" (jackdOf vm) && netonePortOf vm == 3001 && wrong vm == [ ];
  "or where the bridge's own setting says so" =
    let
      vm = vmWith {
        config = {
          archibaldos.audio.driver = "netone";
          services.archibald-bridge.guest.settings.netone-port = 3002;
        };
      };
    in
    lib.hasSuffix " -l 3002" (jackdOf vm) && netonePortOf vm == 3002 && wrong vm == [ ];
  "but not without a port" = lib.all (
    port:
    lib.any (lib.hasInfix "needs a port") (
      wrong (vmWith {
        config = {
          archibaldos.audio.driver = "netone";
          services.archibald-bridge.guest.settings.netone-port = port;
        };
      })
    )
  ) [ null 0 ];
  "PipeWire follows by its own backend, whichever is the JACK server" = lib.all (
    server:
    let
      vm = vmWith {
        config = {
          archibaldos.audio.server = server;
          services.archibald-bridge.guest.settings = {
            clock = "follow";
            backend = "pipewire";
          };
        };
      };
    in
    netonePortOf vm == null && wrong vm == [ ]
  ) [ "pipewire" "jackd" ];
  "and not as JACK server" = lib.all (
    backend:
    let
      refused = wrong (vmWith {
        config = {
          archibaldos.audio.server = "pipewire";
          services.archibald-bridge.guest.settings = {
            clock = "follow";
            inherit backend;
          };
        };
      });
    in
    lib.length refused == 1 && lib.hasInfix "only by the bridge's backend pipewire" (lib.head refused)
  ) [ null "jack" ];
  "a sound card of the VM drives jackd" =
    let
      vm = vmWith {
        config.archibaldos.audio = {
          driver = "alsa";
          device = "hw:1";
        };
      };
    in
    jackdOf vm == "jackd -R -P75 -d alsa -d hw:1 -r 48000 -p 32 -n 2" && netonePortOf vm == null && wrong vm == [ ];
  "a follower with a clock of its own is refused" = lib.any (lib.hasInfix "archibaldos.audio.driver = dummy") (
    wrong (vmWith {
      config = following // { archibaldos.audio.driver = "dummy"; };
    })
  );
  "and PipeWire with a driver of jackd's" = lib.any (lib.hasInfix "only jackd has it") (
    wrong (vmWith {
      config.archibaldos.audio = {
        server = "pipewire";
        driver = "netone";
      };
    })
  );
  "a VM that follows has the host's period and rate" =
    let
      vm = vmWith { config = following; }; # 32 frames
      refused = audio: lib.any (lib.hasInfix "must be the same") (wrong (hostWith vm { inherit audio; }));
    in
    refused { } && refused { bridgePeriod = 32; rate = 96000; } && !(refused { bridgePeriod = 32; });
  "any other VM has its own" = wrong (hostWith (vmWith { }) { }) == [ ] && wrong (hostWith { } { }) == [ ];
  "the other end is not there" = !(guest.systemd.user.services ? archibald-bridge-host);
}

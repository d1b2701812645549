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
    config._module.args.pkgs = {
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
  "the other end is not there" = !(guest.systemd.user.services ? archibald-bridge-host);
}

# Tier 2: the bridge's module with nixpkgs' lib alone. What else it sets is taken as
# it comes. Every attribute must be true.
{ lib }:

let
  keys = lib.importJSON ../modules/keys.json;
  store = "/nix/store/00000000000000000000000000000000-";

  standIn = {
    options = {
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

  accepts =
    end: settings:
    (builtins.tryEval (
      builtins.deepSeq (evaluate { ${end} = { inherit settings; }; }).services.archibald-bridge.${end}.settings true
    )).success;
  refuses = settings: !(accepts "guest" settings);

  # The ends of what a key may be, or each of its values.
  legal =
    key:
    map (value: { ${key.name} = value; }) (
      if key ? values then
        key.values
      else if key ? least then
        [ key.least key.most ] ++ lib.optional (key.orZero or false) 0
      else
        {
          boolean = [ true false ];
          string = [ "text" ];
          strings = [ [ ] [ "a" "b" ] ];
        }
        .${key.type}
    );
  outside = key: map (value: { ${key.name} = value; }) (lib.optionals (key ? least) [ (key.most + 1) (-1) ]);

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
  "every legal value of every key is taken" = lib.all (end: lib.all (accepts end) (lib.concatMap legal keys.${end})) [
    "guest"
    "host"
  ];
  "and none outside" = lib.all refuses (lib.concatMap outside keys.guest);
  "a mistyped key is refused" = refuses { chanels = 2; };
  "a format that does not exist is refused" = refuses { format = "MP3"; };
  "a number is no text" = refuses { peer = 4713; };
  "a host's key is not the guest's" = refuses { host-period = 64; };
  "the unit runs the program with the configuration" =
    unit.serviceConfig.ExecStart
    == "${store}archibald-bridge/bin/archibald-bridge guest --config ${store}archibald-bridge-guest.toml";
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

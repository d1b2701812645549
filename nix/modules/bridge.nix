# services.archibald-bridge.{guest,host}: the bridge as a unit of the user whose
# audio server it is to reach.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (lib) mkOption types;
  cfg = config.services.archibald-bridge;

  # Written by `go generate ./bridge/config`; a test keeps it as the program is.
  keys = lib.importJSON ./keys.json;

  like = key: if key.pattern == "" then types.str else types.strMatching key.pattern;
  typeOf =
    key:
    {
      bool = types.bool;
      int =
        let
          range = types.ints.between key.least key.most;
        in
        if key.orZero then types.either (types.enum [ 0 ]) range else range;
      choice = types.enum key.choices;
      text = like key;
      list = types.listOf (like key);
    }
    .${key.type};

  settingOf = key: {
    inherit (key) name;
    value = mkOption {
      type = types.nullOr (typeOf key);
      default = null;
      defaultText = lib.literalMD "the program's own default: ${builtins.toJSON key.default}";
      description = "${key.help} Legal: ${key.legal}.";
    };
  };

  # Not a key here: the configuration file is checked where the secret does not exist.
  inSettings = end: lib.filter (key: key.name != "secret-file") keys.${end};

  # A string: what is written as a path is copied to the store, for all to read.
  secretPath = types.addCheck (types.strMatching "/[A-Za-z0-9_./@+-]+") (
    path: !lib.hasPrefix builtins.storeDir path
  );

  toml = pkgs.formats.toml { };

  endOptions = end: {
    enable = lib.mkEnableOption "the ${end} end of archibald-bridge";
    user = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "audio-user";
      description = "The user whose session runs it. null: whoever logs in; with several at once only the first gets the port.";
    };
    settings = mkOption {
      type = types.submodule { options = lib.listToAttrs (map settingOf (inSettings end)); };
      default = { };
      example = {
        latency = "2ms";
      };
      description = "Keys of the configuration file. null leaves a key at the program's default.";
    };
    allow = mkOption {
      type = types.nullOr (types.listOf types.str);
      default = null;
      example = [
        "127.0.0.0/8"
        "10.0.0.7"
      ];
      description = "Addresses and networks that may call, besides the peer's. null: the program's default, this machine and 192.168.122.0/24.";
    };
    secretFile = mkOption {
      type = types.nullOr secretPath;
      default = null;
      example = "/home/audio-user/bridge.secret";
      description = "File of the secret that both ends prove to each other, made by archibald-bridge keygen. Only the user who runs the end can read it; it is outside of the store.";
    };
    configFile = mkOption {
      type = types.path;
      readOnly = true;
      description = "The configuration file made of the settings, which the program has checked.";
    };
    firewallInterfaces = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "br0" ];
      description = "Network interfaces on which the port is opened, for TCP and UDP. Nothing is encrypted: only networks that you trust.";
    };
    cpus = mkOption {
      type = types.listOf types.ints.unsigned;
      default = [ ];
      example = [ 2 ];
      description = "Processors that the unit runs on; empty: any. Name those that the kernel keeps free of other work.";
    };
  };

  enabledEnds = lib.filter (end: cfg.${end}.enable) [
    "guest"
    "host"
  ];

  settings = end: lib.filterAttrs (_: value: value != null) cfg.${end}.settings;

  configFile =
    end:
    pkgs.runCommand "archibald-bridge-${end}.toml"
      {
        unchecked = toml.generate "unchecked.toml" { ${end} = settings end; };
      }
      ''
        ${lib.getExe cfg.package} config check $unchecked
        cp $unchecked $out
      '';

  made = end: {
    configFile = configFile end;
    settings.allow = lib.mkIf (cfg.${end}.allow != null) (lib.concatStringsSep "," cfg.${end}.allow);
  };

  port = end: lib.toInt (lib.last (lib.splitString ":" (settings end).listen or "0.0.0.0:4713"));

  audioServers = [
    "jackd.service"
    "pipewire.service"
  ];

  unit = end: {
    name = "archibald-bridge-${end}";
    value = {
      description = "archibald-bridge, ${end} end";
      # Neither is required: the bridge waits for its audio server, and for its return.
      after = audioServers;
      wantedBy = [ "default.target" ];
      unitConfig = {
        ConditionUser = if cfg.${end}.user == null then "!@system" else cfg.${end}.user;
        StartLimitIntervalSec = 0;
      };
      serviceConfig = {
        ExecStart =
          "${lib.getExe cfg.package} ${end} --config ${cfg.${end}.configFile}"
          + lib.optionalString (cfg.${end}.secretFile != null) " --secret-file ${cfg.${end}.secretFile}";
        Restart = "on-failure";
        RestartSec = 1;
        # A wrong configuration does not mend itself.
        RestartPreventExitStatus = 2;
        LimitRTPRIO = 95;
        LimitMEMLOCK = "infinity";
      }
      // lib.optionalAttrs (cfg.${end}.cpus != [ ]) {
        CPUAffinity = map toString cfg.${end}.cpus;
      };
    };
  };
in
{
  options.services.archibald-bridge = {
    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ../package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ../package.nix { }";
      description = "The package of archibald-bridge.";
    };
    guest = endOptions "guest";
    host = endOptions "host";
  };

  config = lib.mkMerge [
    {
      services.archibald-bridge = {
        guest = made "guest";
        host = made "host";
      };
    }
    (lib.mkIf (enabledEnds != [ ]) {
      environment.systemPackages = [ cfg.package ];
      systemd.user.services = lib.listToAttrs (map unit enabledEnds);

      # A user's manager can give its units no more than it has itself.
      systemd.services."user@" = {
        overrideStrategy = "asDropin";
        serviceConfig = {
          LimitRTPRIO = 95;
          LimitMEMLOCK = "infinity";
        };
      };

      # What keeps the processors awake during a session.
      services.udev.extraRules = ''
        KERNEL=="cpu_dma_latency", GROUP="audio", MODE="0660"
      '';

      networking.firewall.interfaces = lib.mkMerge (
        lib.concatMap (
          end:
          map (interface: {
            ${interface} = {
              allowedTCPPorts = [ (port end) ];
              allowedUDPPorts = lib.range (port end) (port end + (settings end).guests or 1 - 1); # one for each guest
            };
          }) cfg.${end}.firewallInterfaces
        ) enabledEnds
      );
    })
  ];
}

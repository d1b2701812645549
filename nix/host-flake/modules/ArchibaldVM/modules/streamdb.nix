# A unit for a database server that you bring: StreamDB is a library and has none.
{ config, lib, ... }:

let
  inherit (lib) mkOption types;
  cfg = config.services.streamdb;
in
{
  options.services.streamdb = {
    enable = lib.mkEnableOption "a server on StreamDB's port. StreamDB itself is an embedded library without a server: package and command are yours";
    package = mkOption {
      type = types.package;
      description = "The package that has the command.";
    };
    command = mkOption {
      type = types.str;
      example = "my-streamdb-server";
      description = "Program of the package, in its bin/, with its arguments. It finds where to listen in LISTEN_ADDRESS and LISTEN_PORT, and its data in STATE_DIRECTORY.";
    };
    listenAddress = mkOption {
      type = types.str;
      default = "192.168.122.2";
      description = "Address to listen on.";
    };
    port = mkOption {
      type = types.port;
      default = 8080;
      description = "TCP port to listen on.";
    };
    dataDir = mkOption {
      type = types.strMatching "[A-Za-z0-9_-]+";
      default = "streamdb";
      description = "Name of the data's directory below /var/lib.";
    };
    openFirewall = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the port is opened on every interface.";
    };
  };

  config = lib.mkIf cfg.enable {
    systemd.services.streamdb = {
      description = "StreamDB server";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      environment = {
        LISTEN_ADDRESS = cfg.listenAddress;
        LISTEN_PORT = toString cfg.port;
      };
      serviceConfig = {
        ExecStart = "${cfg.package}/bin/${cfg.command}";
        Restart = "on-failure";
        DynamicUser = true;
        StateDirectory = cfg.dataDir;
        CapabilityBoundingSet = "";
        LockPersonality = true;
        MemoryDenyWriteExecute = true;
        NoNewPrivileges = true;
        PrivateDevices = true;
        PrivateTmp = true;
        ProtectClock = true;
        ProtectControlGroups = true;
        ProtectHome = true;
        ProtectHostname = true;
        ProtectKernelLogs = true;
        ProtectKernelModules = true;
        ProtectKernelTunables = true;
        ProtectProc = "invisible";
        ProtectSystem = "strict";
        RestrictAddressFamilies = [
          "AF_INET"
          "AF_INET6"
          "AF_UNIX"
        ];
        RestrictNamespaces = true;
        RestrictRealtime = true;
        RestrictSUIDSGID = true;
        SystemCallArchitectures = "native";
        SystemCallFilter = [
          "@system-service"
          "~@privileged"
        ];
        UMask = "0077";
      };
    };

    networking.firewall.allowedTCPPorts = lib.mkIf cfg.openFirewall [ cfg.port ];
  };
}

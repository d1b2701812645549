# audio-user, whose session runs the audio servers from boot on.
{ config, lib, ... }:

let
  inherit (lib) mkOption types;
  cfg = config.archibaldos.users;
in
{
  options.archibaldos.users = {
    authorizedKeys = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "SSH keys of audio-user.";
    };
    passwordLogin = mkOption {
      type = types.bool;
      default = true;
      description = ''
        Whether audio-user may log in by SSH with the published password
        "archibaldos". Set it to false once there are keys.
      '';
    };
  };

  config = {
    assertions = [
      {
        assertion = cfg.passwordLogin || cfg.authorizedKeys != [ ];
        message = "archibaldos.users: with passwordLogin = false nobody could log in; set authorizedKeys.";
      }
    ];

    users.users.audio-user = {
      isNormalUser = true;
      uid = 1000;
      # Its services run without anybody being logged in.
      linger = true;
      extraGroups = [
        "audio"
        "realtime"
        "wheel"
      ];
      initialPassword = lib.mkIf cfg.passwordLogin "archibaldos";
      openssh.authorizedKeys.keys = cfg.authorizedKeys;
    };
    users.groups.realtime = { };

    services.openssh = {
      enable = true;
      # The port is opened on the bridge's interface only (system.nix).
      openFirewall = false;
      settings = {
        PasswordAuthentication = cfg.passwordLogin;
        PermitRootLogin = "no";
      };
    };

    users.motd = lib.mkIf cfg.passwordLogin ''
      This machine's password is published. Set archibaldos.users.authorizedKeys and passwordLogin = false.
    '';
  };
}

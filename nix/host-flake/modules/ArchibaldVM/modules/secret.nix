# The secret that both ends prove to each other. It is handed to this machine when it
# starts, as a credential of systemd, and is in no image and no store.
{ config, lib, ... }:

let
  cfg = config.archibaldos.secret;
  credential = "archibald-bridge.secret";
  file = "/run/archibald-bridge/secret";
in
{
  options.archibaldos.secret.enable = lib.mkEnableOption ''
    the secret of the bridge. QEMU hands it over with
    -fw_cfg name=opt/io.systemd.credentials/${credential},file=FILE; archibaldHost.secretFile does so'';

  config = lib.mkIf cfg.enable {
    services.archibald-bridge.guest.secretFile = file;

    # systemd reads the credential before it starts anything.
    boot.initrd.kernelModules = [ "qemu_fw_cfg" ];

    systemd.services.archibald-bridge-secret = {
      description = "Give the bridge's secret to the user who runs the bridge";
      wantedBy = [ "multi-user.target" ];
      # Users' managers start after it, and the bridge with them.
      before = [ "systemd-user-sessions.service" ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        LoadCredential = credential;
        RuntimeDirectory = "archibald-bridge";
        RuntimeDirectoryMode = "0755";
        RuntimeDirectoryPreserve = true;
      };
      script = ''
        install -m 0400 -o ${config.services.archibald-bridge.guest.user} "$CREDENTIALS_DIRECTORY/${credential}" ${file}
      '';
    };
  };
}

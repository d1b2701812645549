# The secret that both ends prove to each other, for the host's end and for the VM.
{ config, lib, ... }:

let
  file = config.archibaldHost.secretFile;
in
{
  options.archibaldHost.secretFile = lib.mkOption {
    type = lib.types.nullOr lib.types.str; # checked where the end takes it
    default = null;
    example = "/home/player/bridge.secret";
    description = ''
      A file that archibald-bridge keygen wrote and that belongs to the player. The VM
      gets it when it starts. Set archibaldos.secret.enable in the VM as well.
    '';
  };

  config = lib.mkIf (file != null) {
    assertions = [
      {
        assertion = config.archibaldHost.vm.config.archibaldos.secret.enable;
        message = "archibaldHost.secretFile is set, the VM has no secret: set archibaldos.secret.enable there, or the ends refuse each other.";
      }
    ];
    services.archibald-bridge.host.secretFile = file;
    # systemd reads it as root, QEMU does not have to.
    systemd.services.archibaldos-vm.serviceConfig.LoadCredential = "bridge-secret:${file}";
  };
}

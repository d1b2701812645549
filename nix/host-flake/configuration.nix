# The host itself. Replace the file systems and the boot loader by your own
# hardware-configuration.nix.
{ lib, ... }:

{
  boot.loader.systemd-boot.enable = lib.mkDefault true;
  boot.loader.efi.canTouchEfiVariables = lib.mkDefault true;
  fileSystems."/" = lib.mkDefault {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };

  networking.hostName = lib.mkDefault "host";

  users.users.player = {
    isNormalUser = true;
    extraGroups = [
      "audio"
      "libvirtd"
      "wheel"
    ];
    initialPassword = "player";
  };

  system.stateVersion = "26.05";
}

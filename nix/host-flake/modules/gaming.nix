# Games, on an ordinary kernel.
{
  config,
  lib,
  pkgs,
  ...
}:

{
  assertions = [
    {
      # of nixpkgs' own configuration, the packages' and boot.kernelPatches' together
      assertion =
        (config.boot.kernelPackages.kernel.configfile.structuredConfig.PREEMPT_RT or { }).tristate or null
        != "y";
      message = "The host's kernel is PREEMPT_RT: graphics drivers and games want an ordinary one. The real-time kernel belongs in the VM.";
    }
    {
      assertion = pkgs.stdenv.hostPlatform.isx86_64;
      message = "The ArchibaldOS host is for x86_64 only: there is no IOMMU to rely on elsewhere. On ARM64 use a real-time kernel on the machine itself.";
    }
  ];

  nixpkgs.config.allowUnfreePredicate =
    package:
    lib.elem (lib.getName package) [
      "steam"
      "steam-original"
      "steam-run"
      "steam-unwrapped"
    ];

  programs.steam = {
    enable = true;
    extraCompatPackages = [ pkgs.proton-ge-bin ];
  };
  programs.gamemode.enable = true;
  hardware.graphics = {
    enable = true;
    enable32Bit = true;
  };

  environment.systemPackages = [
    pkgs.godot
    pkgs.htop
    pkgs.pciutils
    pkgs.vulkan-tools
  ];
}

# What the machine is: its network, its tools, and how QEMU runs it.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (lib) mkOption types;
  cfg = config.archibaldos;

  network = lib.concatStringsSep "." (lib.take 3 (lib.splitString "." cfg.address)) + ".0/24";
  onItsOwn = "-netdev user,id=lan,net=${network},host=${cfg.gateway},hostfwd=tcp:127.0.0.1:2222-${cfg.address}:22";
  onBridge = "-netdev tap,id=lan,br=$ARCHIBALD_BRIDGE,helper=/run/wrappers/bin/qemu-bridge-helper,vhost=on";
in
{
  options.archibaldos = {
    address = mkOption {
      type = types.str;
      default = "192.168.122.2";
      description = "This VM's IPv4 address, in a network of 24 bits.";
    };
    gateway = mkOption {
      type = types.str;
      default = "192.168.122.1";
      description = "The host's address in that network.";
    };
    interface = mkOption {
      type = types.str;
      default = "eth0";
      description = "The interface to the host. Ports are opened on it and nowhere else.";
    };
    cores = mkOption {
      type = types.ints.positive;
      default = 4;
      description = "Processors of the VM as run-nixos-vm starts it.";
    };
    memoryMegabytes = mkOption {
      type = types.ints.positive;
      default = 4096;
      description = "Memory of the VM as run-nixos-vm starts it.";
    };
    passthrough = mkOption {
      type = types.listOf (types.strMatching "[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]");
      default = [ ];
      example = [ "0000:01:00.0" ];
      description = "PCI addresses of DSP cards that the host gives to the VM (VFIO).";
    };
  };

  config = {
    assertions = [
      {
        assertion = lib.all (core: core < cfg.cores) cfg.rt.isolatedCores;
        message = "archibaldos.rt.isolatedCores = ${toString cfg.rt.isolatedCores}: the VM has ${toString cfg.cores} processors (archibaldos.cores), numbered from 0.";
      }
      {
        assertion = pkgs.stdenv.hostPlatform.isx86_64;
        message = "ArchibaldOS runs on x86_64 only: there is no IOMMU to rely on elsewhere. On ARM64 use a real-time kernel on the machine itself.";
      }
    ];

    networking = {
      hostName = "archibaldos";
      useDHCP = false;
      # The interface is eth0 in every image, as in the VM that QEMU runs.
      usePredictableInterfaceNames = false;
      interfaces.${cfg.interface}.ipv4.addresses = [
        {
          inherit (cfg) address;
          prefixLength = 24;
        }
      ];
      defaultGateway = cfg.gateway;
      nameservers = [ cfg.gateway ];
      firewall.interfaces.${cfg.interface} = {
        allowedTCPPorts = [ 22 ];
        # for programs of yours; StreamDB's 8080 is among them
        allowedTCPPortRanges = [
          {
            from = 8000;
            to = 9000;
          }
        ];
      };
    };
    services.archibald-bridge.guest.firewallInterfaces = [ cfg.interface ];

    environment.systemPackages = [
      pkgs.cmake
      pkgs.emacs-nox
      pkgs.gcc
      pkgs.gdb
      pkgs.git
      pkgs.gnumake
      pkgs.neovim
      pkgs.pciutils
      pkgs.python3
    ];

    # As in the qcow2 image, for nixos-rebuild inside the VM; run-nixos-vm and other
    # images bring their own.
    fileSystems."/" = {
      device = lib.mkDefault "/dev/disk/by-label/nixos";
      fsType = lib.mkDefault "ext4";
    };
    boot.loader.grub.devices = lib.mkOverride 1200 [ "/dev/vda" ];

    time.timeZone = lib.mkDefault "UTC";
    system.stateVersion = "26.05";

    # The name of run-nixos-vm.
    system.name = "nixos";

    virtualisation.vmVariant.virtualisation = {
      inherit (cfg) cores;
      memorySize = cfg.memoryMegabytes;
      diskSize = 10240;
      graphics = false;
      # QEMU's own network carries the same addresses as br0 and needs no root; the
      # guest reaches the host's end at the gateway's address in both.
      # ARCHIBALD_BRIDGE=br0 run-nixos-vm takes the bridge.
      qemu.networkingOptions = lib.mkForce [
        "$(if [ -n \"$ARCHIBALD_BRIDGE\" ]; then echo ${onBridge}; else echo ${onItsOwn}; fi)"
        "-device virtio-net-pci,netdev=lan"
      ];
      qemu.options = map (address: "-device vfio-pci,host=${address}") cfg.passthrough;
    };
  };
}

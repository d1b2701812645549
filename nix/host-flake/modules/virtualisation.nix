# The VM as a service, its threads on processors of their own.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (lib) mkOption types;
  cfg = config.archibaldHost;
  vm = cfg.vm.config;
  runner = vm.system.build.vm;
  list = lib.concatMapStringsSep "," toString;

  # QEMU names its threads with debug-threads=on: "CPU 0/KVM" and so on. vhost's is
  # a thread of QEMU since Linux 6.4, "vhost-PID", and was one of the kernel before.
  place = pkgs.writeShellScript "place-vm-threads" ''
    set -u
    qemu=$1
    cores=(${toString cfg.vcpuCores})
    for try in $(seq 100); do
      placed=0
      for task in /proc/"$qemu"/task/*; do
        read -r name 2>/dev/null < "$task/comm" || continue
        case $name in
          "CPU "*)
            number=''${name#CPU }
            number=''${number%%/*}
            taskset --cpu-list --pid "''${cores[number]}" "''${task##*/}" > /dev/null
            chrt --fifo --pid 40 "''${task##*/}"
            placed=$((placed + 1))
            ;;
        esac
      done
      [ "$placed" -eq ''${#cores[@]} ] && break
      sleep 0.1
    done
    for thread in $(pgrep "^vhost-$qemu" || true) $(pgrep --lightweight --parent "$qemu" '^vhost-' || true); do
      taskset --cpu-list --pid ${list cfg.networkCores} "$thread" > /dev/null
      chrt --fifo --pid 41 "$thread"
    done
    [ "$placed" -eq ''${#cores[@]} ] || { echo "only $placed of ''${#cores[@]} vCPU threads were found" >&2; exit 1; }
  '';
in
{
  options.archibaldHost = {
    vm = mkOption {
      type = types.raw;
      description = "The evaluated NixOS system of the VM.";
    };
    autoStart = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the VM starts with the host.";
    };
    vcpuCores = mkOption {
      type = types.listOf types.ints.positive;
      default = [ ];
      example = [
        4
        5
        6
        7
      ];
      description = ''
        Processors of the host, one for each of the VM's, in order. They are kept
        free of everything else. Empty: none is kept, and the VM shares them all.
      '';
    };
    networkCores = mkOption {
      type = types.listOf types.ints.unsigned;
      default = [ 1 ];
      description = "Processors for the thread that carries the VM's packets (vhost-net), when vcpuCores are set.";
    };
    passthroughIds = mkOption {
      type = types.listOf (types.strMatching "[0-9a-f]{4}:[0-9a-f]{4}");
      default = [ ];
      example = [ "104c:b001" ];
      description = "Vendor and device numbers (lspci -nn) of cards that are kept for the VM (VFIO).";
    };
  };

  config = {
    assertions = [
      {
        assertion = cfg.vcpuCores == [ ] || lib.length cfg.vcpuCores == vm.archibaldos.cores;
        message = "archibaldHost.vcpuCores has ${toString (lib.length cfg.vcpuCores)} processors, the VM has ${toString vm.archibaldos.cores} (archibaldos.cores): one for each is needed.";
      }
      {
        assertion = lib.intersectLists cfg.vcpuCores cfg.networkCores == [ ];
        message = "archibaldHost.networkCores and vcpuCores share processors: the VM's packets would wait for the VM.";
      }
      {
        assertion = vm.archibaldos.passthrough == [ ] || cfg.passthroughIds != [ ];
        message = "archibaldos.passthrough names cards of the VM: give their numbers in archibaldHost.passthroughIds, or the host's drivers take them.";
      }
      {
        assertion =
          !(
            lib.hasPrefix "192.168.122." cfg.network.address
            && lib.elem "virbr0" config.virtualisation.libvirtd.allowedBridges
          );
        message = "virtualisation.libvirtd.allowedBridges has virbr0: libvirt's default network is 192.168.122.0/24, as is archibaldHost.network. Move one of them.";
      }
    ];

    boot = {
      # Appended. isolcpus is right here because every thread is placed by hand.
      kernelParams =
        lib.optionals (cfg.vcpuCores != [ ]) [
          "isolcpus=managed_irq,domain,${list cfg.vcpuCores}"
          "nohz_full=${list cfg.vcpuCores}"
          "rcu_nocbs=${list cfg.vcpuCores}"
        ]
        ++ lib.optionals (cfg.passthroughIds != [ ]) [
          "intel_iommu=on"
          "iommu=pt"
          "vfio-pci.ids=${lib.concatStringsSep "," cfg.passthroughIds}"
        ];
      initrd.kernelModules = lib.optionals (cfg.passthroughIds != [ ]) [
        "vfio_pci"
        "vfio"
        "vfio_iommu_type1"
      ];
      kernelModules = [ "vhost_net" ];
    };

    virtualisation.libvirtd = {
      enable = true;
      allowedBridges = [ cfg.network.bridge ];
    };
    programs.virt-manager.enable = true;

    users.users.archibaldos-vm = {
      isSystemUser = true;
      group = "kvm";
    };
    services.udev.extraRules = ''
      KERNEL=="vhost-net", GROUP="kvm", MODE="0660"
      SUBSYSTEM=="vfio", GROUP="kvm", MODE="0660"
    '';

    systemd.services = {
      archibaldos-vm = {
        description = "The ArchibaldOS virtual machine";
        wantedBy = lib.optional cfg.autoStart "multi-user.target";
        after = [ "network-addresses-${cfg.network.bridge}.service" ];
        wants = [ "network-addresses-${cfg.network.bridge}.service" ];
        path = [
          pkgs.procps
          pkgs.util-linux
        ];
        environment = {
          ARCHIBALD_BRIDGE = cfg.network.bridge;
          NIX_DISK_IMAGE = "/var/lib/archibaldos/nixos.qcow2";
          QEMU_OPTS =
            "-cpu host -name archibaldos,debug-threads=on -overcommit mem-lock=on"
            # the folder of LoadCredential (secret.nix)
            + lib.optionalString (
              cfg.secretFile != null
            ) " -fw_cfg name=opt/io.systemd.credentials/archibald-bridge.secret,file=/run/credentials/archibaldos-vm.service/bridge-secret";
        };
        serviceConfig = {
          User = "archibaldos-vm";
          StateDirectory = "archibaldos";
          StateDirectoryMode = "0700";
          WorkingDirectory = "/var/lib/archibaldos";
          ExecStart = lib.getExe runner;
          ExecStartPost = lib.optional (cfg.vcpuCores != [ ]) "+${place} $MAINPID";
          LimitMEMLOCK = "infinity";
          Restart = "on-failure";
          RestartSec = 5;
        };
      };

      # It has the bridge's addresses.
      archibald-no-default-network = {
        description = "Keep libvirt's default network, which has br0's addresses, from starting by itself";
        wantedBy = [ "libvirtd.service" ];
        before = [ "libvirtd.service" ];
        script = "rm -f /var/lib/libvirt/qemu/networks/autostart/default.xml";
        serviceConfig.Type = "oneshot";
      };
    };
  };
}

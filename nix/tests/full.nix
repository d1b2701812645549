# Tiers 2 and 3: both systems evaluated to the end with the real nixpkgs and musnix.
{ nixpkgs, musnix }:

let
  flakes = import ./call-flake.nix { inherit nixpkgs musnix; };
  inherit (flakes) all;
  lib = import (/. + nixpkgs + "/lib");
  systems = {
    vm = all.nixosConfigurations.archibaldos;
    inherit (all.nixosConfigurations) host;
  };
  vm = systems.vm.config;
  host = systems.host.config;

  messages = config: map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);

  # What a wrong setting leads to: the messages of assertions, or null where it does
  # not even evaluate.
  wrong =
    system: module:
    let
      tried = builtins.tryEval (
        let
          found = messages (system.extendModules { modules = [ module ]; }).config;
        in
        builtins.deepSeq found found
      );
    in
    if tried.success then tried.value else null;
  refused = system: module: wrong system module != [ ];
  says =
    text: system: module:
    let
      found = wrong system module;
    in
    found != null && lib.any (lib.hasInfix text) found;

  typed =
    value:
    !(builtins.tryEval (
      builtins.deepSeq
        (systems.vm.extendModules { modules = [ { services.archibald-bridge.guest.settings = value; } ]; })
        .config.services.archibald-bridge.guest.settings
        true
    )).success;

  needs =
    units: lib.unique (lib.concatMap (unit: (unit.requires or [ ]) ++ (unit.bindsTo or [ ])) (lib.attrValues units));
  isThere =
    config: name:
    lib.any (units: units ? ${lib.removeSuffix ".service" name} && units.${lib.removeSuffix ".service" name}.enable) [
      config.systemd.user.services
      config.systemd.services
    ];
  ports = config: interface: config.networking.firewall.interfaces.${interface};
  kernelIsRealTime = config: (config.boot.kernelPackages.kernel.structuredExtraConfig.PREEMPT_RT or { }).tristate or "n" == "y";
in
{
  # Shown, each by itself.
  derivations = {
    "the VM's system" = vm.system.build.toplevel.drvPath;
    "the host's system" = host.system.build.toplevel.drvPath;
    "run-nixos-vm" = vm.system.build.vm.drvPath;
    "the qcow2 image" = vm.system.build.images.qemu.drvPath;
    "archibald-bridge" = all.packages.x86_64-linux.archibald-bridge.drvPath;
    "the development shell" = all.devShells.x86_64-linux.default.drvPath;
    "the formatter" = all.formatter.x86_64-linux.drvPath;
    "check vm-boots" = all.checks.x86_64-linux.vm-boots.drvPath;
    "check sandbox" = all.checks.x86_64-linux.sandbox.drvPath;
    "the VM's system, from its own flake" = flakes.vm.nixosConfigurations.archibaldos.config.system.build.toplevel.drvPath;
    "the VM's system with PipeWire as JACK server" =
      (systems.vm.extendModules { modules = [ { archibaldos.audio.server = "pipewire"; } ]; })
      .config.system.build.toplevel.drvPath;
  };

  # Each must be empty.
  complaints = {
    "the VM's assertions" = messages vm;
    "the host's assertions" = messages host;
    "the VM's warnings" = vm.warnings;
    "the host's warnings" = host.warnings;
    "units that the VM's units need and do not have" = lib.filter (name: !isThere vm name) (
      needs { inherit (vm.systemd.user.services) jackd scsynth archibald-bridge-guest; }
    );
  };

  # Each must be true.
  contract = {
    "the VM is archibaldos at 192.168.122.2" =
      vm.networking.hostName == "archibaldos"
      && (lib.head vm.networking.interfaces.eth0.ipv4.addresses).address == "192.168.122.2";
    "the host is 192.168.122.1 on br0" =
      (lib.head host.networking.interfaces.br0.ipv4.addresses).address == "192.168.122.1";
    "the VM's kernel is PREEMPT_RT" = kernelIsRealTime vm;
    "the host's kernel is not" = !(kernelIsRealTime host);
    "the image's program is run-nixos-vm" = vm.system.build.vm.meta.mainProgram == "run-nixos-vm";
    "the VM opens 22, 4713 and 8000 to 9000 on eth0" =
      lib.sort lib.lessThan (ports vm "eth0").allowedTCPPorts == [ 22 4713 ]
      && (ports vm "eth0").allowedUDPPorts == [ 4713 ]
      && (ports vm "eth0").allowedTCPPortRanges == [ { from = 8000; to = 9000; } ];
    "and none elsewhere" = vm.networking.firewall.allowedTCPPorts == [ ] && vm.networking.firewall.allowedUDPPorts == [ ];
    "the host opens 4713 on br0" =
      (ports host "br0").allowedTCPPorts == [ 4713 ] && (ports host "br0").allowedUDPPorts == [ 4713 ];
    "audio-user has audio, realtime and lingers" =
      lib.all (group: lib.elem group vm.users.users.audio-user.extraGroups) [ "audio" "realtime" ]
      && vm.users.users.audio-user.linger;
    "jackd runs 32 frames at 48 kHz" =
      lib.hasInfix "-r 48000 -p 32 " (vm.systemd.user.services.jackd.serviceConfig.ExecStart + " ");
    "scsynth's block is no larger" = lib.hasInfix "-z 32" vm.systemd.user.services.scsynth.serviceConfig.ExecStart;
    "four processors and 4 GB" =
      vm.virtualisation.vmVariant.virtualisation.cores == 4
      && vm.virtualisation.vmVariant.virtualisation.memorySize == 4096;
    "kernel parameters of NixOS are still there" = lib.any (lib.hasPrefix "loglevel=") vm.boot.kernelParams;
    "processors 2 and 3 are kept for audio" = lib.elem "nohz_full=2,3" vm.boot.kernelParams;
    "StreamDB is off" = !vm.services.streamdb.enable;
  };

  # Each must be true: it is refused.
  negative = {
    "a PREEMPT_RT host" = says "PREEMPT_RT" systems.host (
      { lib, ... }:
      {
        boot.kernelPatches = [
          {
            name = "rt";
            patch = null;
            structuredExtraConfig.PREEMPT_RT = lib.kernel.yes;
          }
        ];
      }
    );
    "an isolated processor that is not there" = says "isolatedCores" systems.vm { archibaldos.cores = 2; };
    "nobody can log in" = says "authorizedKeys" systems.vm { archibaldos.users.passwordLogin = false; };
    "libvirt's own network on the same addresses" = says "virbr0" systems.host {
      virtualisation.libvirtd.allowedBridges = [ "virbr0" ];
    };
    "too few processors for the VM" = says "vcpuCores" systems.host { archibaldHost.vcpuCores = [ 4 5 ]; };
    "packets that wait for the VM" = says "networkCores" systems.host {
      archibaldHost = {
        vcpuCores = [ 4 5 6 7 ];
        networkCores = [ 4 ];
      };
    };
    "StreamDB without a package" = refused systems.vm { services.streamdb.enable = true; services.streamdb.command = "x"; };
    "two JACK servers" = refused systems.vm { services.pipewire.jack.enable = true; services.jack.jackd.enable = true; };
    "nine channels" = typed { channels = 9; };
    "an unknown key" = typed { chanels = 2; };
    "a rate of 4 kHz" = typed { rate = 4000; };
    "a format that does not exist" = typed { format = "MP3"; };
  };
}

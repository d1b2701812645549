# Tier 3: both systems evaluated to the end with the real nixpkgs and musnix.
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
  says =
    text: system: module:
    let
      found = wrong system module;
    in
    found != null && lib.any (lib.hasInfix text) found;

  # The command of StreamDB's unit with the settings.
  streamdb =
    settings:
    (systems.vm.extendModules { modules = [ { services.streamdb = settings // { enable = true; }; } ]; })
    .config.systemd.services.streamdb.serviceConfig.ExecStart;

  needs =
    units: lib.unique (lib.concatMap (unit: (unit.requires or [ ]) ++ (unit.bindsTo or [ ])) (lib.attrValues units));
  isThere =
    config: name:
    lib.any (units: units ? ${lib.removeSuffix ".service" name} && units.${lib.removeSuffix ".service" name}.enable) [
      config.systemd.user.services
      config.systemd.services
    ];

  # Text without the folders of the store.
  short =
    text:
    lib.concatStrings (lib.filter lib.isString (builtins.split "/nix/store/[a-z0-9]{32}-([^ /]+/bin/)?" text));
  unitsOf =
    config: names:
    lib.genAttrs names (
      name:
      let
        unit = config.systemd.user.services.${name};
      in
      {
        command = short unit.serviceConfig.ExecStart;
        prepare = short (unit.serviceConfig.ExecStartPre or "");
        environment = lib.filterAttrs (key: _: lib.hasPrefix "SC_" key) unit.environment;
      }
    );
  set = lib.filterAttrs (_: value: value != null);
  addressOf = config: interface: (lib.head config.networking.interfaces.${interface}.ipv4.addresses).address;

  # What the units of both run, for the test that runs the same on real servers.
  both = vm: host: {
    vm = {
      address = addressOf vm "eth0";
      units = unitsOf vm [
        "jackd"
        "scsynth"
        "archibald-bridge-guest"
      ];
      settings = set vm.services.archibald-bridge.guest.settings;
    };
    host = {
      address = addressOf host "br0";
      units = unitsOf host [ "archibald-bridge-host" ];
      settings = set host.services.archibald-bridge.host.settings;
    };
  };
  # The host's packets drive the VM's jackd.
  following = systems.vm.extendModules {
    modules = [
      {
        services.archibald-bridge.guest.settings.clock = "follow";
        archibaldos.audio.period = 256;
      }
    ];
  };
  leading = systems.host.extendModules {
    modules = [
      (
        { lib, ... }:
        {
          archibaldHost = {
            vm = lib.mkForce following;
            audio.bridgePeriod = 256;
          };
        }
      )
    ];
  };
  units = {
    default = both vm host;
    locked = both following.config leading.config;
  };

  ports = config: interface: config.networking.firewall.interfaces.${interface};
  kernelIsRealTime =
    config: (config.boot.kernelPackages.kernel.configfile.structuredConfig.PREEMPT_RT or { }).tristate or null == "y";
in
{
  inherit units;

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
    "the VM's system with a secret" =
      (systems.vm.extendModules { modules = [ { archibaldos.secret.enable = true; } ]; }).config.system.build.toplevel.drvPath;
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
    "the assertions of a VM that follows" = messages following.config;
    "and of its host" = messages leading.config;
    "units that the VM's units need and do not have" = lib.filter (name: !isThere vm name) (
      needs { inherit (vm.systemd.user.services) jackd scsynth archibald-bridge-guest; }
    );
    "units that the host's units need and do not have" = lib.filter (name: !isThere host name) (
      needs {
        inherit (host.systemd.user.services) archibald-bridge-host;
        inherit (host.systemd.services) archibaldos-vm archibald-no-default-network;
      }
    );
  };

  # Each must be true.
  contract = {
    "the VM is archibaldos at 192.168.122.2" =
      vm.networking.hostName == "archibaldos" && addressOf vm "eth0" == "192.168.122.2";
    "the host is 192.168.122.1 on br0" = addressOf host "br0" == "192.168.122.1";
    "units.json is what the units run (check --units writes it)" =
      units == lib.importJSON ../units/units.json;
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
    "StreamDB runs what it is given" =
      streamdb {
        command = "hello --greeting=x";
        package = systems.vm.pkgs.hello;
      } == "${systems.vm.pkgs.hello}/bin/hello --greeting=x";
  };

  # Each must be true: it is refused.
  negative = {
    "ARM64" = says "x86_64" systems.host ({ lib, ... }: { nixpkgs.hostPlatform = lib.mkForce "aarch64-linux"; });
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
    "a VM that follows at another period" = says "must be the same" systems.host (
      { lib, ... }: { archibaldHost.vm = lib.mkForce following; }
    );
    "a secret that the VM does not take" = says "archibaldos.secret.enable" systems.host {
      archibaldHost.secretFile = "/home/player/bridge.secret";
    };
    "StreamDB without a package" = !(builtins.tryEval (streamdb { command = "server"; })).success;
    "two JACK servers" = says "JACK emulation" systems.vm (
      { lib, ... }:
      {
        services.pipewire.jack.enable = lib.mkForce true;
        services.jack.jackd.enable = true;
      }
    );
  };
}

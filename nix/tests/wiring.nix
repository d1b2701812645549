# Tier 1: the flakes' own wiring, with a stand-in for nixpkgs that records what it is
# given. Every attribute must be true.
let
  nixpkgs = {
    lib.nixosSystem = given: {
      inherit (given) modules;
      config.system.build = {
        toplevel = "toplevel";
        vm = "vm";
        images.qemu = "qcow2";
      };
    };
    legacyPackages.x86_64-linux = {
      callPackage = path: _: path;
      testers.runNixOSTest = test: test.name;
      mkShell = shell: shell;
      nixfmt-tree = "nixfmt-tree";
      gopls = "gopls";
      jack-example-tools = "jack-example-tools";
      jack2 = "jack2";
      supercollider = "supercollider";
      runCommand = name: _: _: name;
      lib.getExe = package: package;
    };
  };
  musnix.nixosModules.musnix = "musnix";

  call =
    path:
    let
      flake = import path;
      outputs = flake.outputs {
        inherit nixpkgs musnix;
        self = outputs;
      };
    in
    flake // outputs;

  all = call ../flake.nix;
  host = call ../host-flake/flake.nix;
  vm = call ../host-flake/modules/ArchibaldVM/flake.nix;

  imported = system: builtins.concatMap (module: module.imports or [ ]) (builtins.filter builtins.isAttrs system.modules);
  names = builtins.attrNames;
  packagesOf = flake: names flake.packages.x86_64-linux;
in
{
  "every flake has nixpkgs and musnix, which follows it" = builtins.all (
    flake: names flake.inputs == [ "musnix" "nixpkgs" ] && flake.inputs.musnix.inputs.nixpkgs.follows == "nixpkgs"
  ) [ all host vm ];
  "every flake has one and the same source of nixpkgs" = builtins.all (
    flake: flake.inputs.nixpkgs.url == all.inputs.nixpkgs.url && flake.inputs.musnix.url == all.inputs.musnix.url
  ) [ host vm ];
  "the host flake has both systems" = names host.nixosConfigurations == [ "archibaldos" "host" ];
  "the VM flake has the VM" = names vm.nixosConfigurations == [ "archibaldos" ];
  "the image is what QEMU runs" = host.packages.x86_64-linux.archibaldos-vm-image == "vm";
  "the qcow2 is an image" = vm.packages.x86_64-linux.archibaldos-qcow2 == "qcow2";
  "the first flake has the package and the VM" =
    packagesOf all == [ "archibald-bridge" "archibaldos-qcow2" "archibaldos-vm-image" "default" ];
  "the VM has musnix" = builtins.elem "musnix" (imported vm.nixosConfigurations.archibaldos);
  "the host has not" = !(builtins.elem "musnix" (imported host.nixosConfigurations.host));
  "both have the bridge" = builtins.all (
    system: builtins.any (module: baseNameOf module == "bridge.nix") (imported system)
  ) [ vm.nixosConfigurations.archibaldos host.nixosConfigurations.host ];
  "the checks are there" = names all.checks.x86_64-linux == [ "sandbox" "vm-boots" ];
  "the module and the overlay can be used alone" =
    all ? overlays.default && baseNameOf all.nixosModules.archibald-bridge == "bridge.nix";
}

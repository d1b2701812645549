{
  description = "ArchibaldOS: a headless VM with a real-time kernel for the sound of games";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    musnix = {
      url = "github:musnix/musnix";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs =
    {
      self,
      nixpkgs,
      musnix,
    }:
    let
      system = "x86_64-linux";
      vm = self.nixosConfigurations.archibaldos;
    in
    {
      nixosModules.default = {
        imports = [
          musnix.nixosModules.musnix
          ../../../modules/bridge.nix
          ./modules/audio.nix
          ./modules/rt.nix
          ./modules/secret.nix
          ./modules/streamdb.nix
          ./modules/system.nix
          ./modules/users.nix
        ];
      };

      nixosConfigurations.archibaldos = nixpkgs.lib.nixosSystem {
        modules = [
          self.nixosModules.default
          { nixpkgs.hostPlatform = system; }
        ];
      };

      packages.${system} = {
        # bin/run-nixos-vm: starts the VM, rootless or on br0
        archibaldos-vm-image = vm.config.system.build.vm;
        # a qcow2 image for libvirt or QEMU
        archibaldos-qcow2 = vm.config.system.build.images.qemu;
        default = self.packages.${system}.archibaldos-vm-image;
      };
    };
}

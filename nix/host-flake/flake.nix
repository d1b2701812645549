{
  description = "A NixOS host that runs games and the ArchibaldOS VM";

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
      # Called, not an input: one lock file for both, and no path: input, which loses
      # the rest of the repository.
      vmFlake = import ./modules/ArchibaldVM/flake.nix;
      vm = vmFlake.outputs {
        inherit nixpkgs musnix;
        self = vm;
      };
    in
    {
      nixosModules = {
        host.imports = [
          ../modules/bridge.nix
          ./modules/audio.nix
          ./modules/gaming.nix
          ./modules/network.nix
          ./modules/secret.nix
          ./modules/virtualisation.nix
        ];
        archibaldos = vm.nixosModules.default;
        default = self.nixosModules.host;
      };

      nixosConfigurations = {
        # An example to start from: hardware-configuration.nix is yours to add.
        host = nixpkgs.lib.nixosSystem {
          modules = [
            self.nixosModules.host
            ./configuration.nix
            {
              nixpkgs.hostPlatform = system;
              archibaldHost.vm = vm.nixosConfigurations.archibaldos;
            }
          ];
        };
        inherit (vm.nixosConfigurations) archibaldos;
      };

      packages.${system} = vm.packages.${system};
    };
}

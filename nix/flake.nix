{
  description = "archibald-bridge: sound between a real-time VM and its host";

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
      pkgs = nixpkgs.legacyPackages.${system};

      hostFlake = import ./host-flake/flake.nix;
      systems = hostFlake.outputs {
        inherit nixpkgs musnix;
        self = systems;
      };
    in
    {
      packages.${system} = systems.packages.${system} // {
        archibald-bridge = pkgs.callPackage ./package.nix { };
        default = self.packages.${system}.archibald-bridge;
      };

      overlays.default = final: _: {
        archibald-bridge = final.callPackage ./package.nix { };
      };

      nixosModules = systems.nixosModules // {
        archibald-bridge = ./modules/bridge.nix;
        default = self.nixosModules.archibald-bridge;
      };

      inherit (systems) nixosConfigurations;

      checks.${system} = {
        vm-boots = pkgs.testers.runNixOSTest (import ./tests/vm-boots.nix { inherit (self) nixosModules; });
        sandbox = import ./tests/sandbox.nix {
          inherit pkgs;
          inherit (systems.nixosConfigurations) archibaldos host;
        };
      };

      devShells.${system}.default = pkgs.mkShell {
        inputsFrom = [ self.packages.${system}.archibald-bridge ];
        packages = [
          pkgs.gopls
          pkgs.jack-example-tools
          pkgs.jack2
          pkgs.supercollider
        ];
      };

      formatter.${system} = pkgs.nixfmt-tree;
    };
}

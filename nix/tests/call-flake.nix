# The outputs of a flake without the flakes feature: nothing is copied to a store,
# and any nix since 2.8 will do.
{ nixpkgs, musnix }:

let
  call =
    source: inputs:
    let
      flake = import (source + "/flake.nix");
      self = {
        _type = "flake";
        outPath = source;
        inherit inputs;
        lastModifiedDate = "20260101000000";
      }
      // flake.outputs (inputs // { inherit self; });
    in
    self;
  inputs = {
    nixpkgs = call (/. + nixpkgs) { };
    musnix = call (/. + musnix) { inherit (inputs) nixpkgs; };
  };
in
{
  all = call ../. inputs;
  host = call ../host-flake inputs;
  vm = call ../host-flake/modules/ArchibaldVM inputs;
}

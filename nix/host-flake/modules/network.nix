# The bridge to the VM.
{ config, lib, ... }:

let
  inherit (lib) mkOption types;
  cfg = config.archibaldHost.network;
in
{
  options.archibaldHost.network = {
    bridge = mkOption {
      type = types.str;
      default = "br0";
      description = "The network bridge between host and VM.";
    };
    address = mkOption {
      type = types.str;
      default = "192.168.122.1";
      description = "The host's IPv4 address on it, in a network of 24 bits.";
    };
    vmAddress = mkOption {
      type = types.str;
      default = "192.168.122.2";
      description = "The VM's address.";
    };
    internetInterface = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "enp5s0";
      description = "The interface through which the VM reaches the internet. null: it does not.";
    };
  };

  config = {
    # Without it the end lets in this machine and 192.168.122.0/24.
    services.archibald-bridge.host.allow = lib.mkIf (!lib.hasPrefix "192.168.122." cfg.vmAddress) [
      "127.0.0.0/8"
      "::1/128"
      cfg.vmAddress
    ];
    networking = {
      bridges.${cfg.bridge}.interfaces = [ ];
      interfaces.${cfg.bridge}.ipv4.addresses = [
        {
          inherit (cfg) address;
          prefixLength = 24;
        }
      ];
      nat = lib.mkIf (cfg.internetInterface != null) {
        enable = true;
        internalInterfaces = [ cfg.bridge ];
        externalInterface = cfg.internetInterface;
      };
    };
  };
}

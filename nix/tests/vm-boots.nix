# The VM and a host together: services, ports, and SuperCollider's tone on
# the host.
{ nixosModules }:

{
  name = "archibaldos";
  # musnix and the host's games bring overlays and a predicate of their own.
  node.pkgsReadOnly = false;

  nodes.vm =
    { lib, ... }:
    {
      imports = [ nixosModules.archibaldos ];
      networking.hostName = lib.mkForce "vm";
      system.name = lib.mkForce "vm";
      virtualisation.cores = 2;
      archibaldos = {
        interface = "eth1";
        cores = 2;
        rt = {
          isolatedCores = [ ];
          idle = "halt";
        };
        audio = {
          # The test may run without KVM.
          period = 1024;
          superCollider.program = "Server.default.waitForBoot { { SinOsc.ar(440, 0, 0.25) ! 2 }.play };";
        };
      };
    };

  nodes.host =
    { lib, pkgs, ... }:
    {
      imports = [ nixosModules.archibald-bridge ];
      networking.interfaces.eth1.ipv4.addresses = lib.mkForce [
        {
          address = "192.168.122.1";
          prefixLength = 24;
        }
      ];
      services.pipewire.enable = true;
      services.archibald-bridge.host = {
        enable = true;
        user = "player";
        settings.latency = "100ms";
        firewallInterfaces = [ "eth1" ];
      };
      users.users.player = {
        isNormalUser = true;
        uid = 1000;
        linger = true;
        extraGroups = [ "audio" ];
      };
      environment.systemPackages = [ pkgs.sox ];
    };

  testScript = ''
    def user(name, command):
        return f"su -l {name} -c 'XDG_RUNTIME_DIR=/run/user/1000 {command}'"

    start_all()
    host.wait_for_unit("multi-user.target")
    vm.wait_for_unit("multi-user.target")
    vm.succeed("uname -v | grep PREEMPT_RT")
    vm.wait_for_open_port(22)
    for unit in ["jackd", "sclang", "archibald-bridge-guest"]:
        vm.wait_until_succeeds(user("audio-user", f"systemctl --user is-active {unit}"))
    host.wait_until_succeeds(user("player", "systemctl --user is-active archibald-bridge-host"))

    with subtest("ports are open on the bridge and nowhere else"):
        host.succeed("timeout 5 bash -c '</dev/tcp/192.168.122.2/4713'")
        host.succeed("timeout 5 bash -c '</dev/tcp/192.168.122.2/22'")
        vm.succeed("! iptables -S nixos-fw | grep -E 'dport (22|4713) ' | grep -v 'i eth1'")

    with subtest("the tone arrives"):
        host.wait_until_succeeds(user("player", "archibald-bridge status --json | grep running"))
        host.wait_until_succeeds(user("player", "pw-cli info archibald-from-guest"))
        host.succeed(user("player", "timeout 6 pw-record --target archibald-from-guest /tmp/heard.wav || true"))
        frequency = int(host.succeed("sox /tmp/heard.wav -n trim 2 2 stat 2>&1 | sed -n 's/^Rough *frequency: *//p'"))
        assert 420 < frequency < 460, f"heard {frequency} Hz"
  '';
}

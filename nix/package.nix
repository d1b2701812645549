# archibald-bridge: one program, both ends.
{
  lib,
  buildGoModule,
  pkg-config,
  libjack2,
  libopus,
  pipewire,
  version ? "0-unstable",
}:

buildGoModule {
  pname = "archibald-bridge";
  inherit version;

  # Not lib.fileset: Debian's nix 2.8 evaluates this, too.
  src = lib.sourceByRegex ../. [
    "go\\.(mod|sum)"
    "main\\.go"
    # testbed: tests of the others use it, and their modules are vendored, too
    "(bridge|guest|host|proto|testbed)(/.*)?"
  ];

  # Of what `go mod vendor` writes for go.sum; nix/tests compares it.
  vendorHash = lib.fileContents ./vendor-hash;

  nativeBuildInputs = [ pkg-config ];
  # libpipewire is found at run time: see postFixup.
  buildInputs = [
    libjack2
    libopus
    pipewire
  ];

  # github.com/hraban/opus without reading Opus files, which needs libopusfile.
  tags = [ "nolibopusfile" ];

  subPackages = [ "." ];
  ldflags = [
    "-s"
    "-w"
    "-X archibald-bridge/bridge/status.Version=${version}"
  ];

  # The tests start audio servers, and time that a build machine does not have.
  doCheck = false;

  # dlopen looks into the program's own search path.
  postFixup = ''
    patchelf --add-rpath ${lib.makeLibraryPath [ pipewire ]} $out/bin/archibald-bridge
  '';

  meta = {
    description = "Sound between a real-time virtual machine and its host, at a small and constant latency";
    license = lib.licenses.mit;
    platforms = lib.platforms.linux;
    mainProgram = "archibald-bridge";
  };
}

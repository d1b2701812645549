package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"archibald-bridge/bridge/config"
	"archibald-bridge/proto"
)

func TestKeygenMakesAFileThatSecretFileTakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bridge.secret")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644) // as a shell opens it
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	code := Main([]string{"keygen"}, file, &stderr, Runners{})
	if err := file.Close(); err != nil || code != exitFine {
		t.Fatalf("exit code %d, %v: %s", code, err, stderr.String())
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("permissions %v, %v", info.Mode(), err)
	}
	flags := config.Config{SecretFile: path}
	c, err := config.Source{Flags: flags, Set: []string{"secret-file"}}.Load(proto.Host)
	if err != nil || len(c.Secret) != 32 {
		t.Errorf("%d bytes, %v", len(c.Secret), err)
	}
}

func TestKeygenPrintsAnotherSecretEachTime(t *testing.T) {
	var first, second, stderr bytes.Buffer
	if Main([]string{"keygen"}, &first, &stderr, Runners{}) != exitFine || Main([]string{"keygen"}, &second, &stderr, Runners{}) != exitFine {
		t.Fatal(stderr.String())
	}
	if first.String() == second.String() || bytes.Count(first.Bytes(), []byte("\n")) != 1 {
		t.Errorf("%q, %q", first.String(), second.String())
	}
}

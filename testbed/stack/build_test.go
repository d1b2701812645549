package stack

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestAProgramThatWasBuiltIsThereAgainWhenItsFolderIsGone(t *testing.T) {
	const program = "archibald-bridge/testbed/jackprobe"
	var first []byte
	for range 2 {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		binary := filepath.Join(dir, "program")
		if err := Build(binary, program); err != nil {
			t.Fatal(err)
		}
		built, err := os.ReadFile(binary)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(binary); err != nil || info.Mode()&0o100 == 0 {
			t.Errorf("it cannot be run: %v, %v", info, err)
		}
		if first == nil {
			first = built
		}
		if !bytes.Equal(first, built) || len(built) == 0 {
			t.Errorf("built %d bytes, first %d", len(built), len(first))
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := Build(filepath.Join(t.TempDir(), "program"), "archibald-bridge/no/such/program"); err == nil {
		t.Error("a program that is not there was built")
	}
}

package stack

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Each process of a run would link the same programs.
func TestProcessesOfOneRunLinkAProgramOnce(t *testing.T) {
	kept := filepath.Join(t.TempDir(), "not", "yet", "there", "kept")
	links, here := 0, t.TempDir()
	link := func(to string) error {
		links++
		return os.WriteFile(to, []byte("a program"), 0o700)
	}
	if err := linkOnce(kept, filepath.Join(here, "none"), func(string) error { return os.ErrInvalid }); err == nil {
		t.Error("a program that could not be linked is there")
	}
	for _, binary := range []string{"one", "two"} {
		if err := linkOnce(kept, filepath.Join(here, binary), link); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(here, binary))
		if string(text) != "a program" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
	}
	if links != 1 {
		t.Errorf("linked %d times", links)
	}
}

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

package main

import (
	"bytes"
	"os"
	"testing"
)

func TestTheModulesKeysAreTheProgram(t *testing.T) {
	var now bytes.Buffer
	if err := write(&now); err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../modules/keys.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(now.Bytes(), committed) {
		t.Error("nix/modules/keys.json is not what the program has: go run ./nix/keys > nix/modules/keys.json")
	}
}

func TestTypesComeFromWhatIsLegal(t *testing.T) {
	var all bytes.Buffer
	if err := write(&all); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"legal": "0, or 8000 to 192000",
   "type": "integer",
   "least": 8000,
   "most": 192000,
   "orZero": true`,
		`"type": "string",
   "values": [
    "stream",
    "source"
   ]`,
		`"type": "boolean"`, `"type": "strings"`,
	} {
		if !bytes.Contains(all.Bytes(), []byte(want)) {
			t.Errorf("missing: %s", want)
		}
	}
}

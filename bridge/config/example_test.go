package config

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"archibald-bridge/proto"
)

// oneLine joins the comment lines of the example, so that a sentence can be
// found however it is broken.
func oneLine(toml string) string {
	return regexp.MustCompile(`\s*\n#?\s*`).ReplaceAllString(toml, " ")
}

func TestExampleIsTheDefaultOfBothEnds(t *testing.T) {
	for _, end := range Ends {
		got := mustLoad(t, end, Example)
		want := Default(end)
		want.complete()
		got.Connect = nil // empty in the file, nil in the default
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v\nwant %+v", end, got, want)
		}
	}
}

func TestExampleHasEveryKeyOfBothEndsAndSaysWhatIsLegal(t *testing.T) {
	f, err := parseFile("example.toml", []byte(Example))
	if err != nil {
		t.Fatal(err)
	}
	prose := oneLine(Example)
	for _, end := range Ends {
		for _, key := range Keys(end) {
			found := 0
			for _, e := range f.entries {
				if e.key.Name == key.Name && (e.table == "" || e.table == string(end)) {
					found++
				}
			}
			if found != 1 {
				t.Errorf("%s: key %s is set %d times in the example, want once", end, key.Name, found)
			}
			if !strings.Contains(prose, strings.TrimPrefix(key.Legal, "0, or ")) {
				t.Errorf("key %s: the example does not say %q", key.Name, key.Legal)
			}
		}
	}
}

func TestExampleSuggestionsInCommentsAreLegal(t *testing.T) {
	uncommented := regexp.MustCompile(`(?m)^#   `).ReplaceAllString(Example, "")
	uncommented = strings.Replace(uncommented, "\npeer = \"\"", "", 1)
	uncommented = strings.Replace(uncommented, "\nconnect = []", "", 1)
	c := mustLoad(t, EndGuest, uncommented)
	if c.Peer.Host != "192.168.122.2" || len(c.Connect) != 2 {
		t.Errorf("suggestions not taken: peer %v, connect %q", c.Peer, c.Connect)
	}
}

func TestEveryKeyIsDescribed(t *testing.T) {
	for _, key := range keys {
		if key.Help == "" || key.Legal == "" {
			t.Errorf("key %s: help %q, legal %q", key.Name, key.Help, key.Legal)
		}
		if !strings.HasSuffix(key.Help, ".") || strings.HasSuffix(key.Legal, ".") {
			t.Errorf("key %s: help is a sentence, legal is part of one: %q, %q", key.Name, key.Help, key.Legal)
		}
	}
}

func TestStructsAndKeysAgree(t *testing.T) {
	fields := reflect.TypeFor[Common]().NumField() + reflect.TypeFor[Guest]().NumField() + reflect.TypeFor[Host]().NumField()
	if len(keys) != fields {
		t.Errorf("%d keys for %d fields", len(keys), fields)
	}
	if proto.MaxChannels != 64 {
		t.Errorf("the channel keys say 64 channels, proto.MaxChannels is %d", proto.MaxChannels)
	}
	if proto.MaxRedundancy != 2 || proto.MaxRedundancyDistance != 8 {
		t.Errorf("the keys say 2 repeats and 8 periods, proto %d and %d", proto.MaxRedundancy, proto.MaxRedundancyDistance)
	}
	for _, key := range Keys(EndGuest) {
		if key.Owner == EndHost {
			t.Errorf("the guest has the host's key %s", key.Name)
		}
	}
}

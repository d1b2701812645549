package policy

import (
	"fmt"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"testing"
)

// pure are the packages that think. They know the real-time core and the audio
// servers by interfaces only, so that they can be tested without either.
var pure = []string{
	"bridge/session", "bridge/clock", "bridge/codec", "bridge/patchbay", "bridge/config",
	"bridge/status", "bridge/signaling", "bridge/roundtrip", "bridge/cli", "bridge/jitterstore", "bridge/kvmclock",
	"bridge/realtime", "bridge/announce", "bridge/guests", "bridge/network", "bridge/fault",
	"bridge/send", "bridge/receive", "bridge/report", "bridge/stream", "bridge/seldom", "bridge/health",
}

// mayNot is why a package may not need another, "" if it may.
func mayNot(importer, imported string) string {
	switch {
	case importer == "proto" || below(importer, "proto"):
		if !below(imported, "proto") {
			return "proto needs nothing else of ours"
		}
	case below(importer, pure...):
		if imported != "bridge/audio" && below(imported, "bridge/rt", "bridge/audio") {
			return "it may know the core and the audio servers by interfaces only"
		}
	case below(importer, "bridge/rt"):
		if below(imported, "bridge/audio") {
			return "the core knows no audio server"
		}
	}
	if below(importer, "proto", "bridge") && below(imported, "guest", "host") {
		return "only the program and its tests know the ends"
	}
	return ""
}

// product are the folders of the program. All else measures and tests it.
var product = []string{".", "proto", "bridge", "guest", "host"}

// only says what a package may be built from, of ours; nothing else has such a list.
var only = map[string][]string{
	"proto":         {},
	"bridge/stream": {},
	"bridge/audio":  {"bridge/stream"},
	"bridge/rt":     {"bridge/stream"},
	"bridge/fault":  {},
	"bridge/seldom": {},
	"bridge/config": {"bridge/audio", "bridge/fault", "bridge/stream", "proto"},

	// The session is made of its parts, and they know nothing of it.
	"bridge/clock":   {"bridge/stream"},
	"bridge/codec":   {"bridge/stream", "proto"},
	"bridge/send":    {"bridge/codec", "bridge/stream", "proto"},
	"bridge/receive": {"bridge/clock", "bridge/codec", "bridge/stream", "proto"},
	"bridge/report":  {"bridge/status", "bridge/stream", "proto"},
	"bridge/health":  {"bridge/status", "bridge/stream", "proto"},
	"bridge/session": {
		"bridge/audio", "bridge/clock", "bridge/codec", "bridge/fault", "bridge/health", "bridge/receive", "bridge/report", "bridge/send",
		"bridge/seldom", "bridge/signaling", "bridge/status", "bridge/stream", "proto",
	},
}

// mayNotBeBuiltFrom is why the code of a package, without its tests, may not need another.
func mayNotBeBuiltFrom(importer, imported string) string {
	if allowed, listed := only[importer]; listed && !slices.Contains(allowed, imported) {
		return fmt.Sprintf("it may need %q", allowed)
	}
	if importer == "." || below(importer, product...) {
		if imported != "." && !below(imported, product...) {
			return "the product needs nothing that tests or measures it"
		}
	}
	return ""
}

func TestPackagesAreBuiltOnlyFromWhatTheyMay(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.needs() {
			if why := mayNotBeBuiltFrom(p.path(), imported); why != "" {
				t.Errorf("%s is built from %s: %s", p.path(), imported, why)
			}
		}
	}
}

func TestTheLayersForbidWhatTheyShould(t *testing.T) {
	for _, test := range []struct {
		importer, imported string
		forbidden          bool
	}{
		{"proto", "bridge/stream", true},
		{"bridge/stream", "proto", true},
		{"bridge/rt", "bridge/stream", false},
		{"bridge/rt", "proto", true},
		{"bridge/rt", "bridge/session", true},
		{"bridge/session", "testbed/sim", true},
		{"bridge/session", "bridge/receive", false},
		{"bridge/session", "bridge/config", true},
		{"bridge/receive", "bridge/session", true},
		{"bridge/send", "bridge/receive", true},
		{"bridge/report", "bridge/session", true},
		{"guest", "benchmarks/results", true},
		{".", "testbed/stack", true},
		{"testbed/sim", "bridge/rt", false},
		{"benchmarks", "testbed/stack", false},
	} {
		if got := mayNotBeBuiltFrom(test.importer, test.imported) != ""; got != test.forbidden {
			t.Errorf("%s from %s: forbidden is %v, want %v", test.importer, test.imported, got, test.forbidden)
		}
	}
}

func TestPackagesNeedOnlyWhatTheyMay(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.reaches() {
			if why := mayNot(p.path(), imported); why != "" {
				t.Errorf("%s needs %s: %s", p.path(), imported, why)
			}
		}
	}
}

func TestTheImportRulesForbidWhatTheyShould(t *testing.T) {
	for _, test := range []struct {
		importer, imported string
		forbidden          bool
	}{
		{"proto", "bridge/clock", true},
		{"proto", "proto/internal", false},
		{"bridge/session", "bridge/rt", true},
		{"bridge/session/deep", "bridge/audio/jack", true},
		{"bridge/session", "bridge/clock", false},
		{"bridge/session", "bridge/audio", false},
		{"bridge/cli", "guest", true},
		{"bridge/rt", "bridge/session", false},
		{"bridge/rt/deep", "bridge/audio/jack", true},
		{"bridge/audio/jack", "bridge/rt", false},
		{"guest", "bridge/rt", false},
		{".", "guest", false},
	} {
		if got := mayNot(test.importer, test.imported) != ""; got != test.forbidden {
			t.Errorf("%s needs %s: forbidden %v, want %v", test.importer, test.imported, got, test.forbidden)
		}
	}
}

// Parses every file, so that files for another system are seen, too.
func TestOnlyTheCoreTheShimsAndTheTestbedHaveC(t *testing.T) {
	withC := 0
	for _, file := range files(t, ".go") {
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			if spec.Path.Value != `"C"` {
				continue
			}
			withC++
			if !below(path.Dir(file), "bridge/rt", "bridge/audio", "testbed") {
				t.Errorf(`%s has import "C"`, file)
			}
		}
	}
	if withC == 0 {
		t.Error(`no file has import "C": this test looks in the wrong place`)
	}
}

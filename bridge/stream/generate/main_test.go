package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reflect"
)

const top = "../../.."

func TestWhatFollowsFromTheDeclarationsIsUpToDate(t *testing.T) {
	made, err := files(top)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range made {
		got, err := os.ReadFile(filepath.Join(top, name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what bridge/stream/counters.go declares (%v): run go generate ./bridge/stream", name, err)
		}
	}
}

// A counter that is shown says what it is, everywhere.
func TestEachShownCounterIsDeclaredWhole(t *testing.T) {
	send, receive := declared()
	for _, c := range shown(send, receive) {
		if c.Metric == "" || !strings.HasSuffix(c.Metric, "_total") || !strings.HasSuffix(c.Help, ".") {
			t.Errorf("%s: metric %q, help %q", c.Go, c.Metric, c.Help)
		}
	}
	for _, c := range reasons(receive) {
		if c.Words == "" || !strings.HasSuffix(c.Help, ".") {
			t.Errorf("%s: words %q, help %q", c.Go, c.Words, c.Help)
		}
	}
	for _, c := range append(send, receive...) {
		if c.JSON != "" && c.Reason != "" {
			t.Errorf("%s is shown twice", c.Go)
		}
	}
}

// What a new counter needs is its line: all else follows.
func TestANewCounterIsFoundInAllThatFollows(t *testing.T) {
	type declaration struct {
		Packets  uint64 `c:"packets" json:"packets" metric:"packets_total" row:"packets" help:"Packets."`
		Mirrored uint64 `c:"mirrored" json:"mirrored_packets" metric:"mirrored_packets_total" row:"mirrored" help:"Packets that came back."`
		Moment   int64  `c:"moment" json:"moment"`
	}
	send, _ := declared()
	receive := countersOf(reflect.TypeFor[declaration]())
	document, err := documented([]byte("a\n"+documentBegin+"old\n"+documentEnd+"z\n"), send, receive)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"core":     {string(coreFields(send, receive)), "X(mirrored)"},
		"Go":       {string(coreCopies(send, receive)), "to.Mirrored = uint64(from.mirrored)"},
		"status":   {string(statusCounts(send, receive)), "MirroredPackets uint64"},
		"since":    {string(statusCounts(send, receive)), "stream.Grown(now.Mirrored, then.Mirrored)"},
		"metric":   {string(statusCounts(send, receive)), `describe("mirrored_packets_total", "Packets that came back."`},
		"row":      {string(statusCounts(send, receive)), `{"mirrored", false, "", func(c Counts) []uint64 { return []uint64{c.MirroredPackets} }}`},
		"page":     {string(pageRows(send, receive)), `["mirrored", false, ["mirrored_packets"], ""],`},
		"document": {string(document), "| `mirrored_packets` | `archibald_mirrored_packets_total` | Packets that came back. |\n"},
	} {
		if !strings.Contains(strings.Join(strings.Fields(c.text), " "), strings.Join(strings.Fields(c.want), " ")) {
			t.Errorf("%s: no %q in\n%s", name, c.want, c.text)
		}
		if strings.Contains(c.text, "oment") {
			t.Errorf("%s has the momentary value:\n%s", name, c.text)
		}
	}
	if !strings.HasPrefix(string(document), "a\n") || !strings.HasSuffix(string(document), "z\n") || strings.Contains(string(document), "old") {
		t.Errorf("document %q", document)
	}
	if _, err := documented([]byte("no place"), send, receive); err == nil {
		t.Error("a document without a place for it is taken")
	}
}

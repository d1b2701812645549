package pipewire

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// nodeID is the id of a node by its name; "" when there is none.
func (d *desktop) nodeID(t *testing.T, name string) string {
	t.Helper()
	for node := range strings.SplitSeq(d.run(t, "pw-cli", "ls", "Node"), "\tid ") {
		if strings.Contains(node, fmt.Sprintf("node.name = %q", name)) {
			id, _, _ := strings.Cut(node, ",")
			return id
		}
	}
	return ""
}

// nodeSerial is what WirePlumber 0.4 knows a target by.
func (d *desktop) nodeSerial(t *testing.T, name string) string {
	t.Helper()
	_, after, _ := strings.Cut(d.run(t, "pw-cli", "info", name), "object.serial = \"")
	serial, _, _ := strings.Cut(after, "\"")
	return serial
}

func (d *desktop) volume(t *testing.T, name string) string {
	t.Helper()
	return strings.TrimSpace(d.run(t, "wpctl", "get-volume", d.nodeID(t, name)))
}

// What a user sets for one guest is that guest's, in this run and the next.
func TestMuteVolumeAndTargetOfOneGuestAreNotTheNexts(t *testing.T) {
	d := ownDesktop(t)
	d.run(t, "pw-cli", "create-node", "adapter",
		"{ factory.name=support.null-audio-sink node.name=other-sink media.class=Audio/Sink audio.position=[FL FR] object.linger=1 }")
	const full = "Volume: 1.00"
	is := func(name, want string) {
		t.Helper()
		eventually(t, name+" has "+want, func() bool { return d.volume(t, name) == want })
	}
	open := func(name string) *bridge {
		b := openBridge(t, name)
		b.drain(t)
		b.SetActive(true)
		b.runs(t, 5)
		return b
	}
	on := func(name, sink string) {
		t.Helper()
		eventually(t, name+" plays on "+sink, func() bool {
			return d.linked(t, "archibald-"+name+"from-guest:output_FL", sink+":playback_FL")
		})
	}
	ann := open("ann")
	is("archibald-ann-from-guest", full)
	on("ann-", "null-sink")
	d.run(t, "wpctl", "set-volume", d.nodeID(t, "archibald-ann-from-guest"), "0.3")
	d.run(t, "wpctl", "set-mute", d.nodeID(t, "archibald-ann-from-guest"), "1")
	d.run(t, "wpctl", "set-mute", d.nodeID(t, "archibald-ann-to-guest"), "1")
	d.run(t, "pw-metadata", d.nodeID(t, "archibald-ann-from-guest"), "target.object", d.nodeSerial(t, "other-sink"), "Spa:Id")
	on("ann-", "other-sink")
	time.Sleep(1500 * time.Millisecond) // it saves after a second

	// Several of the same kind: others' names, none, one that begins alike.
	for _, name := range []string{"bob", "", "ann2", "an"} {
		prefix := name
		if prefix != "" {
			prefix += "-"
		}
		b := open(name)
		on(prefix, "null-sink")
		is("archibald-"+prefix+"from-guest", full)
		is("archibald-"+prefix+"to-guest", full)
		b.Close()
	}
	is("archibald-ann-from-guest", "Volume: 0.30 [MUTED]")
	if err := ann.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "ann is gone", func() bool { return d.nodeID(t, "archibald-ann-from-guest") == "" })
	open("ann")
	is("archibald-ann-from-guest", "Volume: 0.30 [MUTED]") // it is hers
	on("ann-", "other-sink")

	state := filepath.Join(d.Dir, "state", "wireplumber")
	saved, err := os.ReadFile(filepath.Join(state, "restore-stream"))
	if errors.Is(err, fs.ErrNotExist) { // WirePlumber 0.5's name for it
		saved, err = os.ReadFile(filepath.Join(state, "stream-properties"))
	}
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`(?m)^[^=]*rchibald[^=]*`).FindAllString(string(saved), -1)
	if len(keys) < 2 {
		t.Errorf("keys %q in\n%s", keys, saved)
	}
}

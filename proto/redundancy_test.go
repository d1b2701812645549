package proto

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
)

// wishing is an end that wants packets sent again.
func wishing(d Description, copies, distance int) Description {
	d.Redundancy = Redundancy{copies, distance}
	return d
}

func TestTheLargerWishForRepetitionIsTakenWhole(t *testing.T) {
	type wish = Redundancy
	for _, c := range []struct{ guest, host, agreed wish }{
		{wish{0, 0}, wish{0, 0}, wish{0, 0}},
		{wish{1, 0}, wish{0, 0}, wish{1, 0}},
		{wish{0, 0}, wish{1, 2}, wish{1, 2}},
		{wish{0, 8}, wish{0, 0}, wish{0, 0}}, // nothing is repeated at any distance
		{wish{0, 8}, wish{1, 0}, wish{1, 0}},
		{wish{1, 2}, wish{1, 3}, wish{1, 3}},
		{wish{2, 0}, wish{1, 8}, wish{2, 0}}, // not 2 at 8, which nobody wants
		{wish{2, 1}, wish{2, 0}, wish{2, 1}},
		{wish{2, 8}, wish{2, 8}, wish{2, 8}},
	} {
		g, h := wishing(guest(), c.guest.Copies, c.guest.Distance), wishing(host(), c.host.Copies, c.host.Distance)
		for _, ends := range [][2]Description{{g, h}, {h, g}} {
			atCaller, atAnswerer := settle(t, ends[0], ends[1])
			for _, a := range []Agreement{atCaller, atAnswerer} {
				if a.Redundancy != c.agreed {
					t.Errorf("guest %v, host %v: agreed on %v, want %v", c.guest, c.host, a.Redundancy, c.agreed)
				}
			}
			if atCaller.PeerPeriodFrames != ends[1].PeriodFrames || atAnswerer.PeerPeriodFrames != ends[0].PeriodFrames {
				t.Errorf("periods %d and %d", atCaller.PeerPeriodFrames, atAnswerer.PeerPeriodFrames)
			}
		}
	}
}

var newAttributes = regexp.MustCompile(`(?m)^a=(x-archibald-redundancy|extmap):.*\r\n`)

// older takes what an earlier release does not know out of a description.
func older(text []byte) []byte { return newAttributes.ReplaceAll(text, nil) }

func TestAnOlderPeerGetsNeitherRepeatsNorExtension(t *testing.T) {
	ours := wishing(guest(), 2, 4)
	if bytes.Equal(ours.Marshal(), older(ours.Marshal())) {
		t.Fatal("nothing was taken out")
	}

	// It offers.
	offer := mustParse(t, older(wishing(host(), 2, 4).Marshal()))
	answer, atAnswerer, err := Answer(offer, ours)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(answer.Marshal()); newAttributes.MatchString(text) {
		t.Errorf("the answer has what was not offered:\n%s", text)
	}
	// It answers.
	atCaller, err := Accept(ours, mustParse(t, older(host().Marshal())))
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]Agreement{"answerer": atAnswerer, "caller": atCaller} {
		if a.Redundancy != (Redundancy{}) || a.SendDelay {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestLatenessNeedsBothEnds(t *testing.T) {
	for _, ends := range [][2]bool{{true, true}, {true, false}, {false, true}, {false, false}} {
		g, h := guest(), host()
		g.SendDelay, h.SendDelay = ends[0], ends[1]
		atGuest, atHost := settle(t, g, h)
		if want := ends[0] && ends[1]; atGuest.SendDelay != want || atHost.SendDelay != want {
			t.Errorf("guest %v, host %v: agreed %v and %v", ends[0], ends[1], atGuest.SendDelay, atHost.SendDelay)
		}
	}
}

func TestOnlyOurExtensionUnderItsIDIsLateness(t *testing.T) {
	line := "a=extmap:1 urn:x-archibald:lateness"
	valid := string(guest().Marshal())
	if !strings.Contains(valid, line) {
		t.Fatalf("%q is not in\n%s", line, valid)
	}
	for text, want := range map[string]bool{
		line: true,
		"a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n" + line: true,
		"a=extmap:1   urn:x-archibald:lateness":                     true,
		"a=extmap:2 urn:x-archibald:lateness":                       false,
		"a=extmap:1/recvonly urn:x-archibald:lateness":              false,
		"a=extmap:1 urn:x-archibald:latency":                        false,
		"a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level":    false,
		"a=extmap:1": false, "a=extmap": false, "a=x:1": false,
	} {
		if got := mustParse(t, []byte(strings.Replace(valid, line, text, 1))).SendDelay; got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestRedundancyOutOfBoundsIsNamed(t *testing.T) {
	line := "a=x-archibald-redundancy:0 distance=0 period=32"
	valid := string(guest().Marshal())
	if !strings.Contains(valid, line) {
		t.Fatalf("%q is not in\n%s", line, valid)
	}
	for text, want := range map[string]string{
		"2 distance=8 period=65536":         "",
		"2 period=32 distance=8":            "",
		"1 distance=0 period=1 colour=blue": "",
		"3 distance=0 period=32":            `SDP line 16: x-archibald-redundancy "3": legal is 0 to 2`,
		"-1 distance=0 period=32":           `SDP line 16: x-archibald-redundancy "-1": legal is 0 to 2`,
		"distance=0 period=32":              `SDP line 16: x-archibald-redundancy "distance=0": legal is 0 to 2`,
		"1 distance=9 period=32":            `SDP line 16: x-archibald-redundancy distance "9": legal is 0 to 8`,
		"1 period=32":                       `SDP line 16: x-archibald-redundancy distance "": legal is 0 to 8`,
		"1 distance=0 period=0":             `SDP line 16: x-archibald-redundancy period "0": legal is 1 to 65536`,
		"1 distance=0":                      `SDP line 16: x-archibald-redundancy period "": legal is 1 to 65536`,
		"":                                  `SDP line 16: x-archibald-redundancy "": legal is 0 to 2`,
	} {
		_, err := ParseDescription([]byte(strings.Replace(valid, line, "a=x-archibald-redundancy:"+text, 1)))
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if field := new(FieldError); !errors.As(err, &field) || err.Error() != want {
			t.Errorf("%q: got  %v\nwant %s", text, err, want)
		}
	}
}

func TestAPlainStreamHasNoAttributesOfOurs(t *testing.T) {
	d := wishing(guest(), 1, 2)
	d.Version, d.Role = 0, ""
	if text := string(d.Marshal()); newAttributes.MatchString(text) {
		t.Errorf("it has:\n%s", text)
	}
	text := strings.Replace(string(guest().Marshal()), "a=x-archibald-version:1\r\n", "", 1)
	if got := mustParse(t, []byte(text)); got.PeriodFrames != 0 || got.Redundancy != (Redundancy{}) || got.SendDelay {
		t.Errorf("taken from a plain stream: %+v", got)
	}
}

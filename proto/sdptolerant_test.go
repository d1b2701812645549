package proto

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// eachOdd calls back with every text of every device with every oddity.
func eachOdd(call func(name, text string, want Description)) {
	for device, d := range deviceSDP {
		for _, o := range oddities() {
			lines := strings.Split(strings.TrimSuffix(d.text, "\n"), "\n")
			want := d.want
			o.lost(&want)
			call(device+", "+o.name, strings.Join(o.edit(lines), "\r\n")+"\r\n", want)
		}
		for _, end := range []string{"\n", "\r\n", "\r", "\n\n", "\r\r\n", " \n", "\x00\n"} {
			text := strings.ReplaceAll(d.text, "\n", end)
			call(device+", lines end otherwise", text, d.want)
			call(device+", the last line does not end", strings.TrimSuffix(text, end), d.want)
			call(device+", the last line ends half", strings.TrimSuffix(text, end[1:]), d.want)
			call(device+", zeros follow", text+"\x00\x00\x00", d.want)
			call(device+", a byte order mark", "\ufeff"+text, d.want)
		}
		r := rand.New(rand.NewPCG(1, 2))
		call(device+", ends are mixed", mixed(d.text, r), d.want)
		lines := strings.Split(strings.TrimSuffix(d.text, "\n"), "\n")
		media := at(lines, "m=")
		for range 20 {
			shuffled := slices.Clone(lines)
			for _, part := range [][]string{shuffled[:media], shuffled[media+1:]} {
				r.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
			}
			call(device+", in any order", strings.Join(shuffled, "\n"), d.want)
		}
	}
}

func mixed(text string, r *rand.Rand) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimSuffix(line, "\n") + []string{"\n", "\r", "\r\n", "\n\r\n"}[r.IntN(4)])
	}
	return b.String()
}

func TestWhatIsNotNeededMayBeAnyhow(t *testing.T) {
	texts, failed := 0, 0
	eachOdd(func(name, text string, want Description) {
		texts++
		got, err := ParseDescription([]byte(text))
		if err == nil && reflect.DeepEqual(got, want) {
			return
		}
		if failed++; failed <= 20 {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v\n%q", name, err, got, want, text)
		}
	})
	if failed > 20 {
		t.Errorf("%d of %d texts", failed, texts)
	}
	if texts < 1000 {
		t.Errorf("%d texts are too few", texts)
	}
}

func TestARefusalNamesTheLineAndTheReason(t *testing.T) {
	head := "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=desk\r\nc=IN IP4 239.69.1.7/1\r\nt=0 0\r\n"
	for name, want := range map[string]string{
		"port 0":                `SDP line 6: m=audio port "0": legal is 1 to 65535`,
		"port 70000":            `SDP line 6: m=audio port "70000": legal is 1 to 65535`,
		"a port in words":       `SDP line 6: m=audio port "five": legal is 1 to 65535`,
		"384 kHz":               `SDP line 7: rtpmap rate "384000": legal is 8000 to 192000 Hz`,
		"no rate":               `SDP line 7: rtpmap rate "": legal is 8000 to 192000 Hz`,
		"128 channels":          `SDP line 7: rtpmap channels "128": legal is 1 to 64`,
		"65 channels":           `SDP line 7: rtpmap channels "65": legal is 1 to 64`,
		"0 channels":            `SDP line 7: rtpmap channels "0": legal is 1 to 64`,
		"a format of others":    `SDP line 7: encoding "AM824": legal is L16, L24, F32, opus`,
		"Opus at 44.1 kHz":      `SDP line 7: rtpmap of opus "44100/2": legal is 48000/2 (RFC 7587)`,
		"no map":                `SDP has no m=audio line of RTP/AVP with an rtpmap: line 6 is none`,
		"no type":               `SDP has no m=audio line of RTP/AVP with an rtpmap: line 6 is none`,
		"a type like RTCP":      `SDP line 7: payload type 72 cannot be told from RTCP (RFC 5761, section 4)`,
		"a type too large":      `SDP line 7: payload type "200": legal is 0 to 127`,
		"what is inactive":      `SDP line 8: direction "inactive": legal is sendrecv, sendonly, recvonly`,
		"video":                 `SDP has no m=audio line of RTP/AVP with an rtpmap: line 6 is none`,
		"what is encrypted":     `SDP has no m=audio line of RTP/AVP with an rtpmap: line 6 is none`,
		"an empty m=":           `SDP has no m=audio line of RTP/AVP with an rtpmap: line 6 is none`,
		"garbage":               `SDP has no m=audio line of RTP/AVP with an rtpmap: line 6 is none`,
		"several that are none": `SDP line 9: m=audio port "-1": legal is 1 to 65535`,
	} {
		section := unusable()[name]
		for _, end := range []string{"\n", "\r", "\r\n"} {
			text := strings.ReplaceAll(head+strings.Join(section, "\r\n"), "\r\n", end)
			if _, err := ParseDescription([]byte(text)); err == nil || err.Error() != want {
				t.Errorf("%s:\ngot  %v\nwant %s", name, err, want)
			}
		}
	}
	if len(unusable()) != 20 {
		t.Errorf("%d unusable sections", len(unusable()))
	}
	_, err := ParseDescription([]byte(head + "a=inactive\r\nm=audio 5004 RTP/AVP 10\r\n"))
	if field := new(FieldError); !errors.As(err, &field) || field.Line != 6 {
		t.Errorf("a session that is inactive: %v", err)
	}
}

func TestOfSeveralUnusableSectionsTheFirstOfAudioIsTheReason(t *testing.T) {
	text := "m=video 5008 RTP/AVP 97\nm=audio 5004 RTP/AVP 97\na=rtpmap:97 L24/384000/2\nm=audio 0 RTP/AVP 10\n"
	_, err := ParseDescription([]byte(text))
	if want := `SDP line 3: rtpmap rate "384000": legal is 8000 to 192000 Hz`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestATextOfManySectionsCostsLittle(t *testing.T) {
	// Anybody can announce one, again and again.
	const most = 100_000 // allocations, which are as many everywhere
	for before := 0; before < MaxDescriptionBytes; before += MaxDescriptionBytes / 8 {
		var text strings.Builder
		for i := 0; text.Len() < before; i++ {
			fmt.Fprintf(&text, "a=rtpmap:%d a\n", i)
		}
		for text.Len() < MaxDescriptionBytes-20 {
			text.WriteString("m=audio 1 RTP/AVP 9\n")
		}
		cost := testing.AllocsPerRun(1, func() {
			if d, err := ParseDescription([]byte(text.String())); err == nil {
				t.Errorf("%+v", d)
			}
		})
		if cost > most {
			t.Errorf("%d bytes before the first of many sections: %.0f allocations", before, cost)
		}
	}
}

func TestOfSeveralTypesTheFirstUsableIsTaken(t *testing.T) {
	text := "m=audio 5004 RTP/AVP 101 96 72 98 97 10\na=rtpmap:101 AM824/48000/2\na=rtpmap:96 L24/384000/2\na=rtpmap:72 L16/48000/2\na=rtpmap:98 L24/48000/99\na=rtpmap:97 L24/48000/2\n"
	if got := mustParse(t, []byte(text)); !reflect.DeepEqual(got.Payloads, []Payload{{97, L24}}) || got.RateHz != 48000 || got.SendChannels != 2 {
		t.Errorf("%+v", got)
	}
}

func TestAnOfferOfOursIsReadAsStrictlyAsEver(t *testing.T) {
	// The first section counts, and every value in it.
	offer := string(guest().Marshal())
	for _, edit := range []struct{ from, to string }{
		{"m=audio 4713", "m=audio 0"}, {"L24/48000/2", "L24/384000/2"}, {"L16/48000", "L16/x"}, {"ptime:0.667", "ptime:1ms"},
		{"framecount:32", "framecount:0"}, {"a=ssrc:", "a=ssrc:-"}, {"a=sendrecv", "a=inactive"}, {"send=2", "send=300"}, {"distance=0", "distance=99"},
	} {
		text := strings.Replace(offer, edit.from, edit.to, 1)
		if text == offer {
			t.Fatalf("%q is not in\n%s", edit.from, offer)
		}
		second := offer[strings.Index(offer, "m="):]
		for _, text := range []string{text, text + second} {
			if d, err := ParseDescription([]byte(text)); err == nil {
				t.Errorf("%q was taken: %+v", edit.to, d)
			}
		}
	}
}

func TestNamesAreReadAsTheyAreWrittenAndAsTheUserWritesThem(t *testing.T) {
	long := strings.Repeat("desk ", 20)
	for written, typed := range map[string]string{
		"Caf\xe9": "Café", "Café": "Café", "K\xfcche \xb5": "Küche µ", long: long, " desk\t": "desk", "de\x00sk": "desk", "-": "-", "": "-", "\xff": "ÿ",
	} {
		name, _ := SessionIdentity([]byte("s=" + written + "\n"))
		if want := SessionName(typed); name != want || len(name) > maxNameBytes || strings.ContainsFunc(name, unicode.IsControl) {
			t.Errorf("%q is %q, want %q", written, name, want)
		}
	}
}

func TestTheIdentityOfASessionIsReadHoweverItIsWritten(t *testing.T) {
	for line, want := range map[string]string{
		"o=- 7 1000 IN IP4 10.9.0.2":            "- 7 IN IP4 10.9.0.2",
		"o=Ann's studio 7 1001 IN IP4 10.9.0.2": "Ann's studio 7 IN IP4 10.9.0.2",
		"o=7 1001 IN IP4 10.9.0.2":              "7 IN IP4 10.9.0.2",
		"o=- 7 x IN IP4 10.9.0.2":               "- 7 x IN IP4 10.9.0.2",
		"o=- 7  1001\tIN":                       "- 7 IN",
		" o = IN":                               "IN",
		"o=":                                    "",
		"c=IN IP4 10.9.0.2":                     "",
	} {
		for _, end := range []string{"\r", "\n", "\r\n"} {
			for _, text := range []string{"v=0" + end + line + end + "s=desk", "s= desk" + end + "m=audio 0" + end + line} {
				if name, origin := SessionIdentity([]byte(text)); origin != want || name != "desk" {
					t.Errorf("%q: %q, %q, want %q", text, name, origin, want)
				}
			}
		}
	}
	if name, origin := SessionIdentity([]byte("s=-\n")); name != "" || origin != "" {
		t.Errorf("%q, %q", name, origin)
	}
}

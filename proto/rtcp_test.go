package proto

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

func senderReport() Report {
	return Report{
		SSRC:  0x11223344,
		CNAME: "lab@guest",
		Sender: &SenderInfo{
			Time: 0xe9a1b2c3_80000000, RTPTimestamp: 0xdeadbeef, Packets: 1500, Octets: 384000,
		},
		Receptions: []Reception{{
			SSRC: 0x55667788, FractionLost: 0.25, CumulativeLost: 17, HighestSequence: 0x0001fffe,
			Jitter: 12, LastSR: 0xb2c38000, DelaySinceLastSR: 1500 * time.Millisecond,
		}},
	}
}

func mustMarshal(t testing.TB, r Report) []byte {
	t.Helper()
	b, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSenderReportOnTheWire(t *testing.T) {
	want := strings.ReplaceAll("81c8000c 11223344 e9a1b2c3 80000000 deadbeef 000005dc 0005dc00"+
		" 55667788 40000011 0001fffe 0000000c b2c38000 00018000"+
		" 81ca0004 11223344 01096c61 62406775 65737400", " ", "")
	if got := hex.EncodeToString(mustMarshal(t, senderReport())); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCompoundPacketIsLegal(t *testing.T) {
	receiverOnly, leaving := senderReport(), senderReport()
	receiverOnly.Sender = nil
	leaving.Bye, leaving.ByeReason = true, "stopped"
	for name, r := range map[string]Report{"SR": senderReport(), "RR": receiverOnly, "BYE": leaving} {
		var compound rtcp.CompoundPacket
		if err := compound.Unmarshal(mustMarshal(t, r)); err != nil { // it validates, too
			t.Errorf("%s: %v", name, err)
		}
		if cname, err := compound.CNAME(); err != nil || cname != "lab@guest" {
			t.Errorf("%s: CNAME %q, %v", name, cname, err)
		}
	}
}

func randomReport(r *rand.Rand) Report {
	report := Report{SSRC: r.Uint32(), CNAME: "lab@host", Paused: r.IntN(4) == 0, Bye: r.IntN(4) == 0}
	if report.Bye && r.IntN(2) == 0 {
		report.ByeReason = "changing the sample rate"
	}
	if r.IntN(3) == 0 {
		report.Refused = "cannot send: the graph cannot follow"[:11+r.IntN(20)]
		report.Refused = cleanName(report.Refused, 64)
	}
	if r.IntN(2) == 0 {
		report.Sender = &SenderInfo{NTPTime(r.Uint64()), r.Uint32(), r.Uint32(), r.Uint32()}
	}
	if r.IntN(2) == 0 {
		report.Latency = &Latency{r.Uint32(), time.Duration(r.Uint32()), time.Duration(r.Uint32())}
	}
	for range r.IntN(32) {
		report.Receptions = append(report.Receptions, Reception{
			SSRC:             r.Uint32(),
			FractionLost:     float64(r.IntN(256)) / 256,
			CumulativeLost:   r.IntN(1<<24) - 1<<23,
			HighestSequence:  r.Uint32(),
			Jitter:           r.Uint32(),
			LastSR:           r.Uint32(),
			DelaySinceLastSR: shortDuration(r.Uint32()),
		})
	}
	return report
}

func TestReportSurvivesTheTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		want := randomReport(r)
		got, err := ParseRTCP(mustMarshal(t, want))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	}
}

// Read by pion/rtcp; our own code writes.
func TestLatencyOnTheWire(t *testing.T) {
	report := senderReport()
	report.Latency = &Latency{SSRC: 0x55667788, OneWay: 2500 * time.Microsecond, Error: 20 * time.Microsecond}
	b := mustMarshal(t, report)
	const want = "81cc0005112233444152434855667788" + "002625a0" + "00004e20"
	if got := hex.EncodeToString(b[len(b)-24:]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	packets, err := rtcp.Unmarshal(b)
	if err != nil || len(packets) != 3 {
		t.Fatalf("%d packets, %v", len(packets), err)
	}
	app, ok := packets[2].(*rtcp.ApplicationDefined)
	if !ok || app.Name != "ARCH" || app.SubType != 1 || app.SSRC != report.SSRC || len(app.Data) != 12 {
		t.Errorf("%+v", packets[2])
	}
}

func TestAPauseOnTheWire(t *testing.T) {
	report := senderReport()
	report.Paused = true
	b := mustMarshal(t, report)
	if got, want := hex.EncodeToString(b[len(b)-12:]), "82cc00021122334441524348"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	report.Paused = false
	if got, err := ParseRTCP(mustMarshal(t, report)); err != nil || got.Paused {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestARefusalOnTheWire(t *testing.T) {
	report := senderReport()
	report.Refused = "no rt"
	b := mustMarshal(t, report)
	if got, want := hex.EncodeToString(b[len(b)-20:]), "83cc000411223344415243486e6f207274000000"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for said, want := range map[string]string{"no rt": "no rt", "": "", "a\nb\x1b": "ab", strings.Repeat("x", 300): strings.Repeat("x", 255)} {
		report.Refused = said
		if got, err := ParseRTCP(mustMarshal(t, report)); err != nil || got.Refused != want {
			t.Errorf("%q: %q, %v", said, got.Refused, err)
		}
	}
}

func TestApplicationPacketsThatSayNoLatency(t *testing.T) {
	data := make([]byte, 12)
	for name, app := range map[string]rtcp.ApplicationDefined{
		"another name":    {SSRC: 0x11223344, Name: "arch", SubType: 1, Data: data},
		"another subtype": {SSRC: 0x11223344, Name: "ARCH", SubType: 3, Data: data},
		"too short":       {SSRC: 0x11223344, Name: "ARCH", SubType: 1, Data: data[:11]},
		"of a stranger":   {SSRC: 0x99999999, Name: "ARCH", SubType: 1, Data: data},
		"with nothing":    {SSRC: 0x11223344, Name: "ARCH", SubType: 1},
	} {
		b, err := app.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseRTCP(append(mustMarshal(t, senderReport()), b...))
		if err != nil || !reflect.DeepEqual(got, senderReport()) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	longer := rtcp.ApplicationDefined{SSRC: 0x11223344, Name: "ARCH", SubType: 1, Data: make([]byte, 20)}
	b, err := longer.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseRTCP(append(mustMarshal(t, senderReport()), b...)); err != nil || got.Latency == nil {
		t.Errorf("what a later version adds makes it unreadable: %+v, %v", got, err)
	}
}

func TestFiguresBeyondTheirFieldsAreClamped(t *testing.T) {
	report := senderReport()
	for _, c := range []struct{ in, want Reception }{
		{Reception{FractionLost: 1, CumulativeLost: 1 << 30, DelaySinceLastSR: 48 * time.Hour},
			Reception{FractionLost: 255.0 / 256, CumulativeLost: 1<<23 - 1, DelaySinceLastSR: shortDuration(math.MaxUint32)}},
		{Reception{FractionLost: -0.5, CumulativeLost: -1 << 30, DelaySinceLastSR: -time.Second},
			Reception{CumulativeLost: -1 << 23}},
	} {
		report.Receptions = []Reception{c.in}
		got, err := ParseRTCP(mustMarshal(t, report))
		if err != nil {
			t.Fatal(err)
		}
		if got.Receptions[0] != c.want {
			t.Errorf("got  %+v\nwant %+v", got.Receptions[0], c.want)
		}
	}
	report.Latency = &Latency{SSRC: 1, OneWay: -time.Second, Error: time.Hour}
	got, err := ParseRTCP(mustMarshal(t, report))
	if want := (Latency{SSRC: 1, Error: math.MaxUint32}); err != nil || *got.Latency != want {
		t.Errorf("got %+v, %v, want %+v", got.Latency, err, want)
	}
}

func TestReportThatCannotBeWritten(t *testing.T) {
	unnamed, crowded := senderReport(), senderReport()
	unnamed.CNAME = " \n"
	crowded.Receptions = make([]Reception, 32)
	for want, r := range map[string]Report{
		"RTCP report without a CNAME":                   unnamed,
		"RTCP report of 32 streams: legal are up to 31": crowded,
	} {
		if _, err := r.Marshal(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestWhatOthersAddIsPassedOver(t *testing.T) {
	own := mustMarshal(t, senderReport())
	extended, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ExtendedReport{SenderSSRC: 0x11223344, Reports: []rtcp.ReportBlock{
		&rtcp.ReceiverReferenceTimeReportBlock{NTPTimestamp: 5},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	stranger := senderReport()
	stranger.SSRC, stranger.CNAME, stranger.Bye = 0x99999999, "stranger", true
	unknown := []byte{0x80, 213, 0, 1, 1, 2, 3, 4}
	got, err := ParseRTCP(bytes.Join([][]byte{extended, unknown, own, mustMarshal(t, stranger)}, nil))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, senderReport()) {
		t.Errorf("got %+v", got)
	}
}

func TestReducedSizeBye(t *testing.T) {
	b, err := (&rtcp.Goodbye{Sources: []uint32{7}, Reason: "bye"}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseRTCP(b)
	if err != nil || !reflect.DeepEqual(got, Report{SSRC: 7, Bye: true, ByeReason: "bye"}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestMalformedRTCPIsRefused(t *testing.T) {
	valid := mustMarshal(t, senderReport())
	for size := range len(valid) { // cut between the packets it is a legal, shorter one
		if size == 52 {
			continue
		}
		if _, err := ParseRTCP(valid[:size]); err == nil {
			t.Errorf("the first %d of %d bytes were taken", size, len(valid))
		}
	}
	tooManyBlocks := bytes.Clone(valid)
	tooManyBlocks[0] |= 31
	for name, b := range map[string][]byte{
		"nothing":         nil,
		"too large":       make([]byte, MaxRTCPBytes+1),
		"version 1":       append([]byte{0x41}, valid[1:]...),
		"RTP":             append([]byte{0x80, 96}, valid[2:]...),
		"count too large": tooManyBlocks,
		"trailing byte":   append(bytes.Clone(valid), 0),
		"only unknown":    {0x80, 213, 0, 1, 1, 2, 3, 4},
	} {
		if _, err := ParseRTCP(b); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestRTCPIsToldFromRTP(t *testing.T) {
	for second := range 256 {
		// Payload types 64 to 95 with the marker bit are RTCP's packet types.
		want := second >= 192 && second <= 223
		if got := IsRTCP([]byte{0x80, byte(second), 0, 0}); got != want {
			t.Errorf("second byte %d: %v", second, got)
		}
	}
	for _, e := range Encodings {
		for _, marker := range []byte{0, 0x80} {
			if IsRTCP([]byte{0x80, e.PayloadType() | marker, 0, 0}) {
				t.Errorf("%s with marker %#x is taken for RTCP", e, marker)
			}
		}
	}
	for _, b := range [][]byte{nil, {0x80}, {0x80, 200, 0}, {0x00, 200, 0, 0}, {0x40, 200, 0, 0}, {0xc0, 200, 0, 0}} {
		if IsRTCP(b) {
			t.Errorf("%x is taken for RTCP", b)
		}
	}
}

func FuzzParseRTCP(f *testing.F) {
	f.Add(mustMarshal(f, senderReport()))
	leaving := senderReport()
	leaving.Sender, leaving.Bye, leaving.ByeReason = nil, true, "stopped"
	f.Add(mustMarshal(f, leaving))
	measured := senderReport()
	measured.Latency = &Latency{SSRC: 3, OneWay: time.Millisecond, Error: time.Microsecond}
	f.Add(mustMarshal(f, measured))
	measured.Paused = true
	f.Add(mustMarshal(f, measured))
	measured.Refused = "cannot send"
	f.Add(mustMarshal(f, measured))
	f.Add([]byte{0x80, 203, 0, 0})
	f.Add([]byte{0x9f, 203, 0xff, 0xff})
	f.Add([]byte{0xa1, 202, 0, 1, 0, 0, 0, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := ParseRTCP(b)
		if err != nil || first.CNAME == "" || len(first.Receptions) > maxReceptions {
			return
		}
		again, err := ParseRTCP(mustMarshal(t, first))
		if err != nil {
			t.Fatalf("our own packet is refused: %v", err)
		}
		if !reflect.DeepEqual(again, first) {
			t.Fatalf("got  %+v\nwant %+v", again, first)
		}
	})
}

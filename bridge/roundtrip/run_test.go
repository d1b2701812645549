package roundtrip

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/patchbay"
	"archibald-bridge/bridge/status"
)

// bridged is what a user measures by default.
var bridged = Options{
	Server: "test", Seconds: 3,
	To: "archibald-to-host:in_1", From: "archibald-from-host:out_1", Status: "here:1",
}

// fakeGraph is an audio server on virtual time: sleeping records.
type fakeGraph struct {
	t           *testing.T
	path        path
	connections []patchbay.Connection
	refuse      string // a port that refuses to be connected once parted
	stopAt      int    // frames after which it stands still; 0: never
	lostAt      int    // frames after which it is gone; 0: never
	closed      bool
	freewheels  int     // frames after which it does; 0: never
	xruns       float64 // a second
	lost        float64 // of each second

	sound    []float32
	capacity int
	heard    []float32 // made at Start
	recorded int
	answers  int // of the status server
	absent   bool
}

func newGraph(t *testing.T) *fakeGraph {
	return &fakeGraph{t: t, path: path{delay: steady(300)}, connections: []patchbay.Connection{
		{Source: "SuperCollider:out_1", Sink: "archibald-to-host:in_1"},
		{Source: "SuperCollider:out_2", Sink: "archibald-to-host:in_2"},
		{Source: "archibald-from-host:out_1", Sink: "SuperCollider:in_1"},
		{Source: "archibald-from-host:out_1", Sink: "meter:in"},
	}}
}

func (g *fakeGraph) surroundings() surroundings {
	return surroundings{
		sleep: func(ctx context.Context, d time.Duration) error {
			g.recorded = min(g.recorded+int(d.Seconds()*rateHz), g.capacity)
			if g.stopAt > 0 {
				g.recorded = min(g.recorded, g.stopAt)
			}
			return ctx.Err()
		},
		timer: func(interval, _ time.Duration) (Lateness, error) {
			return Lateness{Policy: "SCHED_FIFO 85", IntervalUs: float64(interval) / 1e3}, nil
		},
		status: func(_ context.Context, address string) (status.Status, error) {
			if g.absent {
				return status.Status{}, errors.New("connection refused")
			}
			if address != "here:1" {
				g.t.Errorf("status of %q", address)
			}
			g.answers++
			return endAfter(10*float64(g.answers), uint64(g.answers)), nil
		},
	}
}

func (g *fakeGraph) Graph() (string, int, int) { return "test", rateHz, 256 }

func (g *fakeGraph) Start(sound []float32, frames int) error {
	g.sound, g.capacity = sound, frames
	g.heard = g.path.heard(min(frames, 6*rateHz))
	return nil
}

// Heard is silence while the path is not connected.
func (g *fakeGraph) Heard() []float32 {
	if g.closed {
		g.t.Error("heard after Close")
	}
	return g.heard[:g.recorded]
}

func (g *fakeGraph) Lost() bool    { return g.lostAt > 0 && g.recorded >= g.lostAt }
func (g *fakeGraph) Xruns() uint64 { return uint64(g.xruns * float64(g.recorded) / rateHz) }
func (g *fakeGraph) Behind() time.Duration {
	return time.Duration(g.lost * float64(g.recorded) / rateHz * float64(time.Second))
}
func (g *fakeGraph) Freewheeled() bool { return g.freewheels > 0 && g.recorded >= g.freewheels }

func (g *fakeGraph) Connections(port string) ([]string, error) {
	if strings.HasPrefix(port, "nobody:") {
		return nil, fmt.Errorf("no port %s", port)
	}
	var peers []string
	for _, c := range g.connections {
		if c.Source == port {
			peers = append(peers, c.Sink)
		} else if c.Sink == port {
			peers = append(peers, c.Source)
		}
	}
	return peers, nil
}

func (g *fakeGraph) Connect(source, sink string) error {
	if g.refuse != "" && (source == g.refuse || sink == g.refuse) {
		return errors.New("refused")
	}
	g.connections = append(g.connections, patchbay.Connection{Source: source, Sink: sink})
	return nil
}

func (g *fakeGraph) Disconnect(source, sink string) error {
	i := slices.Index(g.connections, patchbay.Connection{Source: source, Sink: sink})
	if i < 0 {
		return errors.New("not connected")
	}
	g.connections = slices.Delete(g.connections, i, i+1)
	return nil
}

func (g *fakeGraph) Close() { g.closed = true }

func (g *fakeGraph) run(options Options) (*Report, error) {
	return g.surroundings().run(g.t.Context(), g, options)
}

// wantRestored checks that the graph is as it was.
func (g *fakeGraph) wantRestored() {
	g.t.Helper()
	want := newGraph(g.t).connections
	now := slices.Clone(g.connections)
	for _, list := range [][]patchbay.Connection{want, now} {
		slices.SortFunc(list, func(a, b patchbay.Connection) int { return strings.Compare(a.String(), b.String()) })
	}
	if !slices.Equal(now, want) {
		g.t.Errorf("left behind %v\nfound before %v", now, want)
	}
	if !g.closed {
		g.t.Error("the client was not closed")
	}
}

func TestAMeasurementHasThePathForItselfAndPutsBackWhatWasThere(t *testing.T) {
	g := newGraph(t)
	g.xruns = 1
	r, err := g.run(bridged)
	if err != nil {
		t.Fatal(err)
	}
	g.wantRestored()
	if want := []string{
		"archibald-from-host:out_1 -> archibald-bench:in", "archibald-bench:out -> archibald-to-host:in_1",
	}; !slices.Equal(r.Path, want) {
		t.Errorf("path %q", r.Path)
	}
	if want := []string{
		"SuperCollider:out_1 -> archibald-to-host:in_1",
		"archibald-from-host:out_1 -> SuperCollider:in_1", "archibald-from-host:out_1 -> meter:in",
	}; !slices.Equal(r.Parted, want) {
		t.Errorf("parted %q", r.Parted)
	}
	if r.Server != "test" || r.RateHz != rateHz || r.PeriodFrames != 256 || r.Seconds != 3 {
		t.Errorf("%+v", r)
	}
	if windows := 3 * rateHz / windowFrames; r.Intact != windows || len(r.Readings) != windows || r.Dropouts != 0 {
		t.Errorf("%d intact of %d windows, want %d; %d dropouts", r.Intact, len(r.Readings), windows, r.Dropouts)
	}
	if s := r.RoundTripFrames; math.Abs(s.Min-300) > 0.01 || math.Abs(s.Max-300) > 0.01 {
		t.Errorf("round trip %+v", s)
	}
	if math.Abs(r.RoundTripMs.P50-6.25) > 0.001 {
		t.Errorf("round trip %+v ms", r.RoundTripMs)
	}
	if math.Abs(r.Timer.IntervalUs-256e6/48000) > 1 {
		t.Errorf("timer every %.1f us, want a period", r.Timer.IntervalUs)
	}
	if r.Bridge == nil || r.Bridge.PacketsSent != 100 || math.Abs(r.Bridge.CPUPercent-7) > 1e-9 || r.ServerXruns != 3 {
		t.Errorf("bridge %+v, %d xruns of the server", r.Bridge, r.ServerXruns)
	}
}

func TestAPathThatLeadsBackByItselfNeedsOneConnection(t *testing.T) {
	g := newGraph(t)
	options := bridged
	options.To, options.From = inPort, ""
	r, err := g.run(options)
	if err != nil {
		t.Fatal(err)
	}
	g.wantRestored()
	if !slices.Equal(r.Path, []string{"archibald-bench:out -> archibald-bench:in"}) || len(r.Parted) != 0 {
		t.Errorf("path %q, parted %q", r.Path, r.Parted)
	}
}

func TestWithoutAStatusServerTheReportSaysNothingOfTheBridge(t *testing.T) {
	g := newGraph(t)
	g.absent = true
	r, err := g.run(bridged)
	if err != nil || r.Bridge != nil || r.NoStatusAt != bridged.Status {
		t.Errorf("%v, bridge %+v, no status at %q", err, r.Bridge, r.NoStatusAt)
	}
	if r, err = newGraph(t).run(bridged); err != nil || r.Bridge == nil || r.NoStatusAt != "" {
		t.Errorf("with one: %v, %+v", err, r)
	}
}

func TestSoundThatDoesNotComeBackEndsTheMeasurementAfterTwoSeconds(t *testing.T) {
	for name, test := range map[string]struct{ to, from, hint string }{
		"bridge":       {bridged.To, bridged.From, "on the host, lead it back: pw-link archibald-from-guest:output_FL archibald-to-guest:playback_FL"},
		"named bridge": {"archibald-lab-to-host:in_1", "archibald-lab-from-host:out_1", "on the host, lead it back: pw-link archibald-lab-from-guest:output_FL archibald-lab-to-guest:playback_FL"},
		"other":        {"effect:in", "effect:out", "what goes into effect:in must come back"},
	} {
		g := newGraph(t)
		g.path.alter = func(int, float64) float64 { return 0 }
		options := bridged
		options.To, options.From = test.to, test.from
		r, err := g.run(options)
		if !errors.Is(err, fault.ErrNeverReached) || r != nil {
			t.Fatalf("%s: %v, %v", name, r, err)
		}
		if want := "the sound never reached archibald-bench:in within 2s; " + test.hint; err.Error() != want {
			t.Errorf("%s\n got %s\nwant %s", name, err, want)
		}
		if seconds := float64(g.recorded) / rateHz; seconds < 2 || seconds > 2.2 {
			t.Errorf("%s: gave up after %.2f s", name, seconds)
		}
		g.wantRestored()
	}
}

func TestTheMeasurementBeginsWhenTheSoundIsThere(t *testing.T) {
	g := newGraph(t)
	g.path.alter = func(frame int, sample float64) float64 {
		if frame < rateHz {
			return 0
		}
		return sample
	}
	r, err := g.run(bridged)
	if err != nil {
		t.Fatal(err)
	}
	if r.Missing != 0 || r.Damaged != 0 {
		t.Errorf("%d missing, %d damaged: the silence before is no dropout", r.Missing, r.Damaged)
	}
}

func TestWhateverGoesWrongTheConnectionsArePutBack(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx    context.Context
		change func(*fakeGraph, *Options)
		want   string
	}{
		"interrupted":      {canceled, func(*fakeGraph, *Options) {}, "context canceled"},
		"server stands":    {t.Context(), func(g *fakeGraph, _ *Options) { g.stopAt = 2 * rateHz }, "the JACK server has stood still for 2s"},
		"an export":        {t.Context(), func(g *fakeGraph, _ *Options) { g.freewheels = 2 * rateHz }, "the JACK server freewheels, as for an export: a round trip takes real time; measure after it"},
		"no source port":   {t.Context(), func(_ *fakeGraph, o *Options) { o.From = "nobody:out" }, "no port nobody:out"},
		"no sink port":     {t.Context(), func(_ *fakeGraph, o *Options) { o.To = "nobody:in" }, "no port nobody:in"},
		"port of our own":  {t.Context(), func(g *fakeGraph, _ *Options) { g.refuse = inPort }, "refused"},
		"timer not usable": {t.Context(), func(g *fakeGraph, _ *Options) {}, "no timer"},
	} {
		g := newGraph(t)
		options := bridged
		test.change(g, &options)
		s := g.surroundings()
		if name == "timer not usable" {
			s.timer = func(time.Duration, time.Duration) (Lateness, error) { return Lateness{}, errors.New("no timer") }
		}
		r, err := s.run(test.ctx, g, options)
		if r != nil || err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, %v, want %s", name, r, err, test.want)
		}
		g.wantRestored()
	}
}

func TestALostServerEndsTheMeasurement(t *testing.T) {
	g := newGraph(t)
	g.stopAt, g.lostAt = 2*rateHz, 2*rateHz
	if r, err := g.run(bridged); r != nil || err == nil || err.Error() != "the JACK server is gone" || !g.closed {
		t.Errorf("%v, %v, closed %v", r, err, g.closed)
	}
}

func TestAConnectionThatCannotBePutBackIsToldBesideTheReport(t *testing.T) {
	g := newGraph(t)
	g.refuse = "meter:in"
	r, err := g.run(bridged)
	if err == nil || err.Error() != "not put back: archibald-from-host:out_1 -> meter:in: refused" {
		t.Errorf("error %v", err)
	}
	if r == nil || r.Intact == 0 {
		t.Errorf("report %v", r)
	}
}

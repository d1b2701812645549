package roundtrip

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/patchbay"
	"archibald-bridge/bridge/status"
)

// ClientName is the Client's name in the graph; its ports are out and in.
const ClientName = "archibald-bench"

const (
	outPort = ClientName + ":out"
	inPort  = ClientName + ":in"
)

const (
	maxWait       = 2 * time.Second // for the sound to come back
	look          = 50 * time.Millisecond
	timerLength   = time.Second
	spareSeconds  = 3 // of recording, for connecting and for a late look
	stillForLooks = int(maxWait / look)
)

// Client plays and records. It is opened inactive.
type Client interface {
	// Graph returns the audio server's name, rate and period.
	Graph() (server string, rateHz, periodFrames int)
	// Start plays the sound in a circle from out and records from in, both
	// beginning in the same cycle, until a number of frames is recorded.
	Start(sound []float32, frames int) error
	// Heard is what has been recorded so far. It must not be used after Close.
	Heard() []float32
	// Lost tells whether the server is gone.
	Lost() bool
	// Freewheeled tells whether the server has left real time, as for an export.
	Freewheeled() bool
	// Xruns counts what the server reported since Start.
	Xruns() uint64
	// Behind is how far what is recorded lags behind the time since Start. It
	// grows by what the server loses.
	Behind() time.Duration
	// Connections lists the ports that a port is connected to.
	Connections(port string) ([]string, error)
	Connect(source, sink string) error
	Disconnect(source, sink string) error
	Close()
}

// Options say what to measure.
type Options struct {
	Server  string // audio server's name
	Seconds int    // length of the measurement
	To      string // input port that the sound goes into
	From    string // output port it comes back from; "" when To leads back by itself
	Status  string // HOST:PORT of this end's status
}

// surroundings are what a measurement needs in addition to a Client.
type surroundings struct {
	sleep  func(context.Context, time.Duration) error
	timer  func(interval, length time.Duration) (Lateness, error)
	status func(ctx context.Context, address string) (status.Status, error)
}

var system = surroundings{
	sleep: func(ctx context.Context, d time.Duration) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(d):
			return nil
		}
	},
	timer:  TimerLateness,
	status: status.Fetch,
}

// Run measures with a Client, and closes it. What else was connected to the two
// ports is taken away meanwhile; the error says when it could not be put back.
// When no sound comes back, the error wraps fault.ErrNeverReached.
func Run(ctx context.Context, client Client, options Options) (*Report, error) {
	return system.run(ctx, client, options)
}

func (s surroundings) run(ctx context.Context, client Client, options Options) (report *Report, err error) {
	defer client.Close()
	report = &Report{}
	report.Server, report.RateHz, report.PeriodFrames = client.Graph()
	if report.Timer, err = s.timer(frames(report.PeriodFrames, report.RateHz), timerLength); err != nil {
		return nil, err
	}
	capacity := report.RateHz * (options.Seconds + int(maxWait/time.Second) + spareSeconds)
	end := s.ask(ctx, options.Status)
	if end == nil {
		report.NoStatusAt = options.Status
	}
	sound := Sound(bandShare(end, report.RateHz))
	if err := client.Start(sound, capacity); err != nil {
		return nil, err
	}

	w := wiring{client: client}
	defer func() { err = errors.Join(err, w.undo()) }()
	if err := w.make(options); err != nil {
		return nil, err
	}
	report.Path, report.Parted = texts(w.made), texts(w.parted)

	d := newDetector(sound)
	first, err := s.awaitSound(ctx, client, d, report, options)
	if err != nil {
		return nil, err
	}
	end = s.ask(ctx, options.Status)
	before := lossOf(client)
	last := first + options.Seconds*report.RateHz
	if err := s.await(ctx, client, last); err != nil {
		return nil, err
	}
	report.Bridge = between(end, s.ask(ctx, options.Status))
	report.loss = lossOf(client).since(before)
	// Only now: the transforms would disturb what they are to measure.
	report.judge(d.readings(client.Heard()[:last], first, report.RateHz))
	report.Seconds = float64(last-first) / float64(report.RateHz)
	return report, nil
}

func frames(count, rateHz int) time.Duration {
	return time.Duration(count) * time.Second / time.Duration(rateHz)
}

// awaitSound returns the frame after the first window in which the sound was
// found.
func (s surroundings) awaitSound(ctx context.Context, client Client, d *detector, report *Report, options Options) (int, error) {
	rateHz := report.RateHz
	begin, before := len(client.Heard()), lossOf(client)
	for {
		if err := s.await(ctx, client, len(client.Heard())+windowFrames); err != nil {
			return 0, err
		}
		heard := client.Heard()
		if d.read(heard, len(heard)-windowFrames).State != Missing {
			return len(heard), nil
		}
		if len(heard)-begin > int(maxWait.Seconds()*float64(rateHz)) {
			hint := options.hint()
			if lost := lossOf(client).since(before); lost.happened(maxWait, report) {
				hint = lost.text() + "; else: " + hint
			}
			return 0, fmt.Errorf("the sound %w %s within %v; %s", fault.ErrNeverReached, inPort, maxWait, hint)
		}
	}
}

// hint says what is most likely missing.
func (o Options) hint() string {
	if prefix, bridge := strings.CutSuffix(owner(o.To), "to-host"); bridge && o.From != "" {
		return fmt.Sprintf("on the host, lead it back: pw-link %sfrom-guest:output_FL %sto-guest:playback_FL", prefix, prefix)
	}
	return fmt.Sprintf("what goes into %s must come back", o.To)
}

// await waits until this number of frames is recorded.
func (s surroundings) await(ctx context.Context, client Client, frames int) error {
	still, before := 0, -1
	for {
		heard := len(client.Heard())
		switch {
		case client.Freewheeled():
			return errors.New("the JACK server freewheels, as for an export: a round trip takes real time; measure after it")
		case heard >= frames:
			return nil
		case client.Lost():
			return errors.New("the JACK server is gone")
		case heard > before:
			still, before = 0, heard
		default:
			if still++; still > stillForLooks {
				return fmt.Errorf("the JACK server has stood still for %v", maxWait)
			}
		}
		if err := s.sleep(ctx, look); err != nil {
			return err
		}
	}
}

// bandShare is the share of a rate that a stream has whose sender runs at a lower one; 1
// where that is not known: what is measured need not be a bridge.
func bandShare(end *status.Status, rateHz int) float64 {
	if end == nil || end.Directions.Receive.Rate == 0 {
		return 1
	}
	return min(1, float64(end.Directions.Receive.Rate)/float64(rateHz))
}

// ask is the end's status, nil when it does not answer.
func (s surroundings) ask(ctx context.Context, address string) *status.Status {
	end, err := s.status(ctx, address)
	if err != nil {
		return nil
	}
	return &end
}

func owner(port string) string {
	client, _, _ := strings.Cut(port, ":")
	return client
}

func texts(list []patchbay.Connection) []string {
	all := []string{}
	for _, connection := range list {
		all = append(all, connection.String())
	}
	return all
}

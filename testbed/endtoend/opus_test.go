package endtoend

import (
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"archibald-bridge/bridge/codec"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/gate"
	"archibald-bridge/testbed/path"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/signal"
	"archibald-bridge/testbed/wav"
)

// A network of 40 ms that loses 2 % of the datagrams, in both directions.
func TestOpusCrossesALongAndLossyPath(t *testing.T) {
	unbroken(t, Config{PeriodFrames: 256, Common: []string{"--format", "opus", "--latency", "100ms"},
		Way: path.Kind{Delay: 40 * time.Millisecond, Loss: 0.02, Seed: 7}}, longAndLossy)
}

func longAndLossy(t *testing.T, r *Rig) (faults []string, serverFailures int) {
	if err := r.StartAll(); err != nil {
		t.Fatal(err)
	}
	d, err := r.Duplex(8*time.Second, 150*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range d.Heard {
		from, input := d.Host, 0
		if h.Channel == "guest left" || h.Channel == "guest right" {
			from = d.Guest
		}
		if h.Channel == "host right" || h.Channel == "guest right" {
			input = 1
		}
		sound := from.Sound.Channels[input][settled(from):]
		faults = append(faults, unlikeTone(t, h.Channel, sound, from.RateHz, h.PlayedHz, 0.5, 0.97)...)
	}
	for _, s := range d.Status {
		got, sent := s.Directions.Receive, s.Directions.Send
		t.Logf("%s: %d packets, %d lost, %d late, %d frames concealed, latency %.1f ms of %+v, sent: %.1f ms by %s", s.End, got.Packets, got.Lost, got.Late,
			got.ConcealedFrames, got.LatencyMs.Bridge, got.LatencyStagesMs, sent.LatencyMs.Bridge, sent.LatencyBy)
		if got.Format != "opus" || got.PacketFrames != 240 || got.Lost == 0 || got.ConcealedFrames == 0 {
			t.Errorf("%s: %+v", s.End, got)
		}
		stages := got.LatencyStagesMs
		if stages.Codec != 2.5 || float64(stages.Wire) < 39 || float64(got.LatencyMs.Bridge) < 140 {
			faults = append(faults, fmt.Sprintf("%s: latency %.1f ms, stages %+v", s.End, got.LatencyMs.Bridge, stages))
		}
	}
	if _, lost := r.Way.Counts(); lost[0] == 0 || lost[1] == 0 {
		t.Errorf("the path lost %d", lost)
	}
	return faults, d.ServerFailures()
}

// unlikeTone says in what a recording differs from the tone that was played into the encoder.
func unlikeTone(t *testing.T, name string, sound []float32, rateHz int, hz, withinHz, present float64) (faults []string) {
	t.Helper()
	tone, err := signal.Tone(sound, rateHz, hz)
	if err != nil {
		return []string{fmt.Sprintf("%s: %v", name, err)}
	}
	there := signal.Presence(sound, rateHz, hz, toneDBFS)
	is := fmt.Sprintf("%s: %.2f Hz at %.2f dBFS, THD+N %.1f dB, there for %.2f %%", name, tone.FrequencyHz, tone.LevelDBFS, tone.THDNdB, 100*there)
	t.Log(is)
	if math.Abs(tone.FrequencyHz-hz) > withinHz || math.Abs(tone.LevelDBFS-toneDBFS) > 0.3 || there < present {
		faults = append(faults, fmt.Sprintf("%s; played %.0f Hz at %.0f dBFS", is, hz, toneDBFS))
	}
	return faults
}

// foreign is a program that sends Opus by RTP to one address and hears it at another.
type foreign struct {
	name string
	// paceHz is how exactly it keeps to the rate, in Hz of the tones: ffmpeg sleeps
	// between its packets and catches up.
	paceHz float64
	// sdp describes what it sends to an address; "": it writes that itself.
	sdp string
	// send and hear are its command lines. It plays two tones and writes a WAV file.
	send func(to netip.AddrPort, sdp string) []string
	hear func(at netip.AddrPort, sdp, wav string) []string
}

var foreigners = []foreign{{
	name: "GStreamer", paceHz: 0.5,
	sdp: "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=GStreamer\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 96\r\n" +
		"a=rtpmap:96 OPUS/48000/2\r\na=fmtp:96 sprop-stereo=1\r\n",
	send: func(to netip.AddrPort, _ string) []string {
		tone := func(hz float64, n int) []string {
			return []string{"audiotestsrc", "is-live=true", fmt.Sprint("freq=", hz), fmt.Sprint("volume=", amplitude()), "!",
				fmt.Sprintf("audio/x-raw,format=F32LE,rate=48000,channels=1,channel-mask=(bitmask)0x%d", n+1), "!", fmt.Sprint("i.sink_", n)}
		}
		line := []string{"gst-launch-1.0", "-q", "interleave", "name=i", "!", "audioconvert", "!", "audio/x-raw,rate=48000,channels=2", "!",
			"opusenc", "frame-size=10", "bitrate=128000", "!", "rtpopuspay", "pt=96", "!", "udpsink", "host=" + to.Addr().String(), fmt.Sprint("port=", to.Port())}
		return append(append(line, tone(hostLeftHz, 0)...), tone(hostRightHz, 1)...)
	},
	hear: func(at netip.AddrPort, _, wav string) []string {
		return []string{"gst-launch-1.0", "-q", "-e", "udpsrc", "address=" + at.Addr().String(), fmt.Sprint("port=", at.Port()),
			"caps=application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=111", "!", "rtpopusdepay", "!", "opusdec", "!",
			"audioconvert", "!", "audio/x-raw,format=F32LE,channels=2", "!", "wavenc", "!", "filesink", "location=" + wav}
	},
}, {
	name: "ffmpeg", paceHz: 1.5,
	send: func(to netip.AddrPort, sdp string) []string {
		tone := func(hz float64) string { return fmt.Sprintf("%g*sin(2*PI*%g*t)", amplitude(), hz) }
		return []string{"ffmpeg", "-loglevel", "error", "-re", "-f", "lavfi", "-i", "aevalsrc=exprs='" + tone(hostLeftHz) + "|" + tone(hostRightHz) + "':s=48000:c=stereo:n=240",
			"-c:a", "libopus", "-b:a", "128k", "-application", "lowdelay", "-frame_duration", "20", "-f", "rtp", "-sdp_file", sdp, "rtp://" + to.String()}
	},
	hear: func(_ netip.AddrPort, sdp, wav string) []string {
		return []string{"ffmpeg", "-loglevel", "error", "-protocol_whitelist", "file,udp,rtp", "-i", sdp, "-c:a", "pcm_f32le", "-y", wav}
	},
}}

func amplitude() float64 { return math.Pow(10, toneDBFS/20) }

func TestOpusToAndFromOthers(t *testing.T) {
	for _, f := range gate.Soak(foreigners[:1], foreigners) {
		t.Run(f.name, func(t *testing.T) { unbroken(t, Config{PeriodFrames: 256}, f.talks) })
	}
}

func (f foreign) talks(t *testing.T, r *Rig) (faults []string, serverFailures int) {
	if err := r.StartJackd(); err != nil {
		t.Fatal(err)
	}
	// It hears at the address that the other end would have.
	port := uint16(r.port)
	ours := netip.AddrPortFrom(netip.MustParseAddr(Address(proto.Guest)), port)
	theirs := netip.AddrPortFrom(netip.MustParseAddr(Address(proto.Host)), port+2)
	sdpIn, sdpOut, recorded := filepath.Join(r.Dir, "in.sdp"), filepath.Join(r.Dir, "out.sdp"), filepath.Join(r.Dir, "heard.wav")
	if f.sdp != "" {
		if err := os.WriteFile(sdpIn, fmt.Appendf(nil, f.sdp, port), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, command []string) interface{ Stop() } {
		p, err := r.Start(name, nil, command[0], command[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("%s: %s", name, p.LogTail())
			}
		})
		return p
	}
	run("sends", f.send(ours, sdpIn))
	appears(t, sdpIn)
	guest := []string{"guest", "--jack-server", r.JackServer, "--listen", ours.String(), "--status-listen", statusAddress(proto.Guest), "--format", "opus",
		"--static", "--peer", theirs.String(), "--ptime", "10ms", "--sdp-in", sdpIn, "--sdp-out", sdpOut, "--latency", "100ms"}
	var err error
	if r.Guest, err = r.Start("bridge-guest", nil, r.binary, guest...); err != nil {
		t.Fatal(err)
	}
	appears(t, sdpOut)
	p, err := probe.Start(r.Stack, probe.Config{
		Binary: r.probe, Name: "guest-probe", JackServer: r.JackServer, Duration: 10 * time.Second, Inputs: 2, // the last three seconds count: it has settled by then
		Outputs: []probe.Signal{probe.Tone(guestLeftHz, toneDBFS), probe.Tone(guestRightHz, toneDBFS)},
		Connect: [][2]string{
			{"guest-probe:out_1", "archibald-to-host:in_1"}, {"guest-probe:out_2", "archibald-to-host:in_2"},
			{"archibald-from-host:out_1", "guest-probe:in_1"}, {"archibald-from-host:out_2", "guest-probe:in_2"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	hears := run("hears", f.hear(theirs, sdpOut, recorded))
	heard, err := p.Finish()
	if err != nil {
		t.Fatal(err)
	}
	hears.Stop()
	for i, hz := range []float64{hostLeftHz, hostRightHz} {
		faults = append(faults, unlikeTone(t, fmt.Sprintf("heard from it, %d", i+1), lastSeconds(heard.Sound.Channels[i], 3), heard.RateHz, hz, f.paceHz, 0.98)...)
	}
	theirsHeard, err := wav.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	if theirsHeard.RateHz != codec.RateHz || len(theirsHeard.Channels) != 2 || theirsHeard.Frames() < 3*codec.RateHz {
		t.Fatalf("it heard %d channels, %d frames at %d Hz", len(theirsHeard.Channels), theirsHeard.Frames(), theirsHeard.RateHz)
	}
	for i, hz := range []float64{guestLeftHz, guestRightHz} {
		sound := theirsHeard.Channels[i]
		faults = append(faults, unlikeTone(t, fmt.Sprintf("it heard, %d", i+1), sound[codec.RateHz:3*codec.RateHz], codec.RateHz, hz, 0.5, 0.99)...)
	}
	return faults, len(losses(heard)) + heard.Xruns
}

func lastSeconds(sound []float32, seconds int) []float32 {
	return sound[max(0, len(sound)-seconds*codec.RateHz):]
}

// appears waits for a file to be written.
func appears(t *testing.T, file string) {
	t.Helper()
	for range 100 {
		if info, err := os.Stat(file); err == nil && info.Size() > 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("no %s", file)
}

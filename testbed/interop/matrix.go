package interop

import (
	"time"

	"archibald-bridge/proto"
)

// Matrix is every case of the table in docs/interop.md.
func Matrix() []Case {
	var all []Case
	for _, peer := range []Peer{GStreamer, FFmpeg, PipeWire, PipeWireNew} {
		for _, direction := range []Direction{Send, Receive} {
			add := func(encoding proto.Encoding, rateHz, channels int, ptime time.Duration, restart Restart) {
				all = append(all, Case{peer, direction, encoding, channels, rateHz, ptime, restart})
			}
			for _, encoding := range []proto.Encoding{proto.L16, proto.L24} {
				for _, channels := range []int{2, 8, 15} {
					add(encoding, 48000, channels, 0, Nobody)
				}
				add(encoding, 44100, 2, 0, Nobody)
				add(encoding, 96000, 2, 0, Nobody)
			}
			add(proto.L24, 96000, 8, 0, Nobody)
			if peer != FFmpeg || direction != Send { // ffmpeg ends when we say goodbye
				add(proto.L24, 48000, 2, time.Millisecond, Ours)
			}
			if peer == GStreamer || peer == FFmpeg { // a PipeWire serves all cases at once
				add(proto.L24, 48000, 2, time.Millisecond, Theirs)
			}
			if peer == GStreamer {
				for _, us := range []time.Duration{125, 333, 1000, 4000} {
					add(proto.L24, 48000, 2, us*time.Microsecond, Nobody)
				}
				add(proto.L24, 48000, 64, 0, Nobody)
			}
		}
	}
	return all
}

// most of what runs at once: cases, of them PipeWire's, whose one thread for sound
// serves them all, and channels in either direction.
const (
	mostCases    = 6
	mostPipeWire = 3
	mostChannels = 40
)

// batches divides cases into such as can run at once in one rig: of one rate, and of
// one PipeWire.
func batches(cases []Case) [][]Case {
	var all [][]Case
	for _, c := range cases {
		placed := false
		for i := range all {
			if fits(all[i], c) {
				all[i], placed = append(all[i], c), true
				break
			}
		}
		if !placed {
			all = append(all, []Case{c})
		}
	}
	return all
}

func fits(batch []Case, c Case) bool {
	channels, pipewire := c.Channels, 0
	for _, other := range batch {
		if other.RateHz != c.RateHz || c.announced() && other.announced() && other.Peer != c.Peer {
			return false
		}
		if other.announced() {
			pipewire++
		}
		if other.Direction == c.Direction {
			channels += other.Channels
		}
	}
	return len(batch) < mostCases && channels <= mostChannels && (!c.announced() || pipewire < mostPipeWire)
}

// attempts is how often a case is run where the machine disturbs it.
const attempts = 3

// RunAll runs cases of any kind and reports each when it is done. A case that cannot run
// together with others runs alone.
func RunAll(options Options, cases []Case, tell func(Result)) {
	for _, batch := range batches(cases) {
		for attempt := 1; attempt <= attempts && len(batch) > 0; attempt++ {
			batch = runSome(options, batch, attempt == attempts, tell)
		}
	}
}

// runSome returns what should be tried again.
func runSome(options Options, batch []Case, last bool, tell func(Result)) (again []Case) {
	results, err := runBatch(options, batch)
	switch {
	case err != nil && len(batch) > 1 && last:
		for _, c := range batch {
			runSome(options, []Case{c}, true, tell)
		}
	case err != nil && last:
		tell(Result{Case: batch[0], Broken: err.Error()})
	case err != nil:
		return batch
	}
	for _, result := range results {
		good := result.Fault() == "" && (result.Exact() || !result.ownClock())
		if good || last {
			tell(result)
		} else {
			again = append(again, result.Case)
		}
	}
	return again
}

func runBatch(options Options, batch []Case) (results []Result, err error) {
	r, err := New(batch[0].RateHz, options)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := r.Close(); err == nil {
			err = closeErr
		}
	}()
	return r.Run(batch)
}

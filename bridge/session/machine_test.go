package session

import (
	"context"
	"slices"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/status"
)

func (v *virtual) quietened(want ...bool) {
	v.t.Helper()
	if !slices.Equal(v.quiet.streaming, want) {
		v.t.Errorf("the machine was told %v, want %v", v.quiet.streaming, want)
	}
}

func TestMachineIsQuietFromTheFirstStreamUntilTenSecondsAfterTheLast(t *testing.T) {
	v := newVirtual(t)
	v.openAudio()
	v.pass(time.Minute)
	v.quietened() // no session, nothing to be quiet for
	v.up(agreed("a"))
	v.quietened(true) // at once: the latency is learned in the first half second
	v.pass(time.Second)
	v.down("a")
	v.pass(idleAfter - tick)
	v.quietened(true)
	v.pass(time.Minute)
	v.quietened(true, false)
}

func TestMachineStaysQuietBetweenSessionsThatFollowEachOther(t *testing.T) {
	v := playing(t)
	v.down("a")
	v.pass(idleAfter / 2)
	v.up(agreed("b"))
	v.pass(time.Minute)
	if slices.Contains(v.quiet.streaming, false) {
		t.Errorf("the machine was told %v", v.quiet.streaming)
	}
}

func TestMachineIsLetGoOfWhenTheAudioServerStaysAway(t *testing.T) {
	v := playing(t)
	v.audio.set(func(a *fakeAudio) { a.absent = audio.ErrServerAbsent })
	v.audioEvent(audio.Lost)
	v.pass(time.Minute)
	v.quietened(true, false)
	v.audio.set(func(a *fakeAudio) { a.absent = nil })
	v.pass(time.Second)
	v.quietened(true, false, true)
}

func TestMachineIsLetGoOfWhenTheEndStops(t *testing.T) {
	v := newVirtual(t, func(c *Settings) { c.Static, c.Peer.Host, c.Peer.Port, c.Format = true, "192.0.2.7", 4713, "L24" })
	v.clock = systemTime{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- v.Run(ctx) }()
	eventually(t, "the stream", func() bool { return v.Status().Session.State == status.SessionStatic })
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	v.quietened(true, false)
}

func TestMachineLearnsOfNewAudioThreadsAtTheNextTick(t *testing.T) {
	v := newVirtual(t)
	v.openAudio()
	for _, threads := range []audio.Threads{{IDs: []int{7, 8}, Priority: 65}, {}, {IDs: []int{9}, Priority: 5}} {
		v.audio.set(func(a *fakeAudio) { a.threads = threads })
		v.pass(tick)
		if got := v.quiet.tended; !slices.Equal(got.IDs, threads.IDs) || got.Priority != threads.Priority {
			t.Errorf("the machine was told of %+v, want %+v", got, threads)
		}
	}
}

func TestStatusShowsWhatTheMachineGives(t *testing.T) {
	v := newVirtual(t)
	v.quiet.status = status.Machine{CPUAwake: true, CPUs: "2,3", RealtimeBy: status.RealtimeByKit}
	v.pass(publishInterval)
	if got := v.Status().Machine; got != v.quiet.status {
		t.Errorf("%+v, want %+v", got, v.quiet.status)
	}
}

package endtoend

import (
	"context"
	"math"
	"time"

	"archibald-bridge/testbed/sc"
	"archibald-bridge/testbed/stack"
)

// PlaySuperCollider starts scsynth and lets it play one tone to each channel of
// the host, until it is stopped.
func (r *Rig) PlaySuperCollider() error {
	if err := r.startScsynth(); err != nil {
		return err
	}
	return r.playTones()
}

func (r *Rig) startScsynth() (err error) {
	r.Scsynth, err = r.StartScsynth(stack.ScsynthConfig{
		JackServer: r.JackServer, PeriodFrames: r.Config.PeriodFrames, InputChannels: 2, OutputChannels: 2,
		ConnectOutputs: "archibald-to-host", ConnectInputs: "archibald-from-host",
	})
	return err
}

func (r *Rig) playTones() error {
	client, _, err := r.tones(guestLeftHz, guestRightHz)
	if err != nil {
		return err
	}
	return client.Close()
}

// tones plays a tone on each output and returns the left one's node.
func (r *Rig) tones(leftHz, rightHz float32) (*sc.Client, int32, error) {
	client, err := sc.Dial(r.Scsynth.Address)
	if err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	amplitude := float32(math.Pow(10, toneDBFS/20))
	var left int32
	if err = client.Load(ctx); err == nil {
		left, err = client.Tone(ctx, 0, leftHz, amplitude)
	}
	if err == nil {
		_, err = client.Tone(ctx, 1, rightHz, amplitude)
	}
	if err == nil {
		err = client.Sync(ctx)
	}
	if err != nil {
		_ = client.Close()
	}
	return client, left, err
}

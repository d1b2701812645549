package portaudio

import (
	"fmt"
	"time"
)

// shortestPeriod is what a period is at least. Host APIs keep two periods or more
// in buffers of their own, so that less would not be heard as less.
const shortestPeriod = 5 * time.Millisecond

// mostFrames is the longest period the real-time core takes.
const mostFrames = 8192

// periodOf is the period for a wanted one; 0: the shortest power of two that is
// long enough, as audio servers' periods mostly are.
func periodOf(wanted, rateHz int) (frames int, err error) {
	least := int((shortestPeriod*time.Duration(rateHz) + time.Second - 1) / time.Second)
	if wanted == 0 {
		frames = 64
		for frames < least {
			frames *= 2
		}
		return frames, nil
	}
	if wanted < least || wanted > mostFrames {
		return 0, fmt.Errorf("period %d at %d Hz: PortAudio's is %d to %d frames there, 5 ms and more", wanted, rateHz, least, mostFrames)
	}
	return wanted, nil
}

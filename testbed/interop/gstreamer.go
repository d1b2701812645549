package interop

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// startGStreamer starts a pipeline that plays the case's file to our end, or
// records what our end sends. It plays by the system's monotonic clock, which is
// jackd's as well.
func (r *Rig) startGStreamer(c *run) (err error) {
	format := fmt.Sprintf("S%dBE", 8*c.Encoding.BytesPerSample())
	var pipeline string
	if c.Direction == Send {
		pipeline = fmt.Sprintf("udpsrc address=%s port=%d caps=application/x-rtp,media=audio,payload=%d,clock-rate=%d,encoding-name=%s,channels=%d"+
			" ! rtpjitterbuffer latency=50 ! rtp%sdepay ! filesink location=%s",
			c.destination(), c.port, c.Encoding.PayloadType(), c.RateHz, c.Encoding, c.Channels, c.Encoding, c.raw)
	} else {
		if err := os.WriteFile(c.sdp, []byte(gstreamerSDP(c)), 0o600); err != nil {
			return err
		}
		pipeline = fmt.Sprintf("filesrc location=%s ! rawaudioparse format=pcm pcm-format=%s sample-rate=%d num-channels=%d"+
			" ! rtp%spay pt=%d %s ! udpsink host=%s port=%d",
			c.raw, strings.ToLower(format), c.RateHz, c.Channels, c.Encoding, c.Encoding.PayloadType(), gstreamerPtime(c.Ptime), c.destination(), c.port)
	}
	c.peer, err = r.theirs.Start("gst-"+c.name, nil, "gst-launch-1.0", append([]string{"-e", "-q"}, strings.Fields(pipeline)...)...)
	return err
}

func gstreamerPtime(ptime time.Duration) string {
	if ptime == 0 {
		return ""
	}
	return fmt.Sprintf("min-ptime=%d max-ptime=%d", ptime.Nanoseconds(), ptime.Nanoseconds())
}

// GStreamer's gst-launch writes no SDP: its user does.
func gstreamerSDP(c *run) string {
	return fmt.Sprintf(`v=0
o=- 1 1 IN IP4 %s
s=GStreamer
c=IN IP4 %s
t=0 0
m=audio %d RTP/AVP %d
a=rtpmap:%[4]d %s/%d/%d
`, theirAddress, c.destination(), c.port, c.Encoding.PayloadType(), c.Encoding, c.RateHz, c.Channels)
}

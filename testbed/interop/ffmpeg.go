package interop

import (
	"fmt"
	"strings"
)

// startFFmpeg starts an ffmpeg that plays the case's file to our end, and describes
// that in an SDP file of its own, or records what our end's SDP file describes.
func (r *Rig) startFFmpeg(c *run) (err error) {
	raw := fmt.Sprintf("s%dbe", 8*c.Encoding.BytesPerSample())
	command := "-nostdin -hide_banner -loglevel warning -y "
	if c.Direction == Send {
		command += fmt.Sprintf("-protocol_whitelist file,udp,rtp -i %s -c copy -f %s %s", c.sdp, raw, c.raw)
	} else {
		command += fmt.Sprintf("-re -f %s -ar %d -ac %d -i %s -c copy -f rtp -sdp_file %s rtp://%s:%d?pkt_size=%d",
			raw, c.RateHz, c.Channels, c.raw, c.sdp, c.destination(), c.port, ffmpegPacketBytes(c))
	}
	c.peer, err = r.theirs.Start("ffmpeg-"+c.name, nil, "ffmpeg", strings.Fields(command)...)
	if err == nil && c.Direction == Receive {
		err = until("SDP file of ffmpeg", func() bool { return exists(c.sdp) })
	}
	return err
}

// ffmpegPacketBytes is by what ffmpeg decides how many frames a packet has.
func ffmpegPacketBytes(c *run) int {
	if c.Ptime == 0 {
		return 1200
	}
	frames := int(c.Ptime.Nanoseconds() * int64(c.RateHz) / 1e9)
	return 12 + frames*c.Channels*c.Encoding.BytesPerSample()
}

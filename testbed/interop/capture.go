package interop

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"archibald-bridge/testbed/stack"
)

// capture is what tshark's dumpcap took from the cable.
type capture struct {
	rig     *Rig
	dumpcap *stack.Process
	file    string
	runs    []*run
	wires   map[int]Wire // by the port of the case
}

func (r *Rig) startCapture(runs []*run) (*capture, error) {
	c := &capture{rig: r, runs: runs, file: r.path(runs[0].name + ".pcapng")}
	var err error
	c.dumpcap, err = r.ours.Start("dumpcap-"+runs[0].name, nil, "dumpcap", "-q", "-i", stack.Wire, "-f", "udp", "-B", "64", "-w", c.file)
	if err != nil {
		return nil, err
	}
	return c, until("capture by dumpcap: "+c.dumpcap.LogTail(), says(c.dumpcap, "File:"))
}

// stop ends the capture.
func (c *capture) stop() error {
	_ = c.dumpcap.Signal(syscall.SIGINT)
	_, err := c.dumpcap.Wait(5 * time.Second)
	return err
}

func (c *capture) tshark(args ...string) (string, error) {
	all := []string{"-n", "-r", c.file}
	for _, r := range c.runs {
		all = append(all, "-d", fmt.Sprintf("udp.port==%d,rtp", r.port), "-d", fmt.Sprintf("udp.port==%d,rtcp", r.port+1))
	}
	command, err := c.rig.ours.Command("tshark", append(all, args...)...)
	if err != nil {
		return "", err
	}
	text, err := command.Output()
	if err != nil {
		err = fmt.Errorf("tshark: %w", err)
	}
	return string(text), err
}

// Wire is what tshark says of a stream.
type Wire struct {
	Streams  int // more than one where a sender was restarted
	Packets  int
	Lost     int
	Frames   []int // of packets: all sizes that there were
	Breaks   int   // where a timestamp is not where the packet before it ends
	Controls int   // RTCP packets on the port above
	Strays   int   // packets to either port that are not what they should be
}

// A line of "tshark -z rtp,streams": destination port, packets and lost ones.
var streamLine = regexp.MustCompile(`(?m)^ *[0-9.]+ +[0-9.]+ +\S+ +\d+ +\S+ +(\d+) +0x[0-9A-Fa-f]+ +\S.*? +(\d+) +(-?\d+) \(`)

// read judges the streams of all cases.
func (c *capture) read() error {
	streams, err := c.tshark("-q", "-z", "rtp,streams")
	if err != nil {
		return err
	}
	c.wires = map[int]Wire{}
	for _, match := range streamLine.FindAllStringSubmatch(streams, -1) {
		port, _ := strconv.Atoi(match[1])
		packets, _ := strconv.Atoi(match[2])
		lost, _ := strconv.Atoi(match[3])
		w := c.wires[port]
		w.Streams++
		w.Packets += packets
		w.Lost += lost
		c.wires[port] = w
	}
	text, err := c.tshark("-T", "fields",
		"-e", "udp.dstport", "-e", "rtp.ssrc", "-e", "rtp.timestamp", "-e", "udp.length", "-e", "rtcp.pt")
	if err != nil {
		return err
	}
	next := map[string]uint32{} // timestamps, by port and SSRC
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" { // a fragment: the last one shows the whole
			continue
		}
		fields := strings.Split(strings.TrimRight(line, "\n"), "\t")
		port, err := strconv.Atoi(fields[0])
		if len(fields) != 5 || err != nil {
			return fmt.Errorf("tshark: %q", line)
		}
		for _, r := range c.runs {
			if port != r.port && port != r.port+1 {
				continue
			}
			w := c.wires[r.port]
			if err := w.packet(r, port, fields[1:], next); err != nil {
				return fmt.Errorf("tshark: %q: %w", line, err)
			}
			c.wires[r.port] = w
		}
	}
	return nil
}

// packet takes one packet: its SSRC, timestamp, UDP length and RTCP type.
func (w *Wire) packet(r *run, port int, fields []string, next map[string]uint32) error {
	isRTP, isRTCP := fields[0] != "", fields[3] != ""
	if port == r.port+1 && isRTCP && !isRTP {
		w.Controls++
		return nil
	}
	if port != r.port || !isRTP || isRTCP {
		w.Strays++
		return nil
	}
	timestamp, err := strconv.ParseUint(fields[1], 10, 32)
	if err != nil {
		return err
	}
	length, err := strconv.Atoi(fields[2])
	if err != nil {
		return err
	}
	const udpHeader, rtpHeader = 8, 12
	frames := (length - udpHeader - rtpHeader) / (r.Encoding.BytesPerSample() * r.Channels)
	if !slices.Contains(w.Frames, frames) {
		w.Frames = append(w.Frames, frames)
	}
	key := fmt.Sprint(port, fields[0])
	if due, ok := next[key]; ok && due != uint32(timestamp) {
		w.Breaks++
	}
	next[key] = uint32(timestamp) + uint32(frames)
	return nil
}

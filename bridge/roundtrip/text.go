package roundtrip

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"
)

const (
	histogramRows = 20 // at most
	barWidth      = 40
	timeRows      = 10
)

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, values ...any) {
		fmt.Fprintf(table, "%s\t%s\n", name, fmt.Sprintf(format, values...))
	}
	row("server", "%s, %d Hz, %d frames", r.Server, r.RateHz, r.PeriodFrames)
	row("bare timer", "every %.0f us, %s: late by p50 %.0f, p99 %.0f, p99.9 %.0f, max %.0f us",
		r.Timer.IntervalUs, r.Timer.Policy, r.Timer.P50Us, r.Timer.P99Us, r.Timer.P999Us, r.Timer.MaxUs)
	connections := func(name string, list []string) {
		for _, connection := range list {
			row(name, "%s", connection)
			name = ""
		}
	}
	connections("path", r.Path)
	connections("parted meanwhile", r.Parted)
	if spread := r.RoundTripFrames; spread != nil {
		row("round trip", "min %.1f  p50 %.1f  p99 %.1f  max %.1f frames", spread.Min, spread.P50, spread.P99, spread.Max)
		row("", "min %.3f  p50 %.3f  p99 %.3f  max %.3f ms", r.RoundTripMs.Min, r.RoundTripMs.P50, r.RoundTripMs.P99, r.RoundTripMs.Max)
	} else {
		row("round trip", "nothing was heard")
	}
	if r.Inverted {
		row("", "the path inverts the sound")
	}
	lost := r.loss.happened(time.Duration(r.Seconds*float64(time.Second)), r)
	if lost {
		row("server lost time", "%s", r.loss.text())
	}
	row("windows", "%d of %d frames in %.1f s: %d damaged, %d missing; %d dropouts",
		len(r.Readings), r.WindowFrames, r.Seconds, r.Damaged, r.Missing, r.Dropouts)
	if 2*r.Damaged > len(r.Readings) && (!lost || r.Damaged > r.loss.breaks(r)) {
		row("", "most are damaged: the path adds other sound or an echo, or distorts")
		if r.NoStatusAt != "" {
			row("", "or the host's rate is lower: no end says it at %s; give --address, the guest's status-listen", r.NoStatusAt)
		}
	}
	row("server's xruns", "%d", r.ServerXruns)
	if b := r.Bridge; b != nil {
		row("this end", "%.1f %% of a processor; %d packets sent, %d received, %d lost, %d late; %d dropouts, %d xruns",
			b.CPUPercent, b.PacketsSent, b.PacketsReceived, b.PacketsLost, b.PacketsLate, b.Dropouts, b.Xruns)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if r.RoundTripFrames != nil {
		r.writeHistogram(w)
		r.writeCourse(w)
	}
	return nil
}

// writeHistogram counts the windows by their round trip, rounded.
func (r *Report) writeHistogram(w io.Writer) {
	width := binWidth(r.RoundTripFrames.Min, r.RoundTripFrames.Max)
	first := bin(r.RoundTripFrames.Min, width)
	counts := make([]int, bin(r.RoundTripFrames.Max, width)-first+1)
	most := 0
	for _, reading := range r.Readings {
		if reading.State != Missing {
			at := bin(reading.Frames, width) - first
			counts[at]++
			most = max(most, counts[at])
		}
	}
	fmt.Fprintf(w, "\n%18s  windows\n", "round trip, frames")
	for i, count := range counts {
		bar := strings.Repeat("#", (count*barWidth+most-1)/most)
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%18.1f  %7d  %s", float64(first+i)*width, count, bar), " "))
	}
}

// binWidth is 1, 2 or 5 times a power of ten, at least a tenth of a frame, so
// that there are few enough bins.
func binWidth(least, most float64) float64 {
	for power := 0.1; ; power *= 10 {
		for _, factor := range []float64{1, 2, 5} {
			if width := factor * power; bin(most, width)-bin(least, width) < histogramRows {
				return width
			}
		}
	}
}

func bin(frames, width float64) int { return int(math.Round(frames / width)) }

// writeCourse shows how the round trip went over time.
func (r *Report) writeCourse(w io.Writer) {
	rows := min(timeRows, len(r.Readings))
	fmt.Fprintf(w, "\n%18s  %-20s  windows not intact\n", "from second", "round trip, frames")
	for i := range rows {
		part := Report{RateHz: r.RateHz}
		readings := r.Readings[i*len(r.Readings)/rows : (i+1)*len(r.Readings)/rows]
		part.judge(readings)
		trip := "nothing heard"
		if spread := part.RoundTripFrames; spread != nil {
			trip = fmt.Sprintf("%.1f to %.1f", spread.Min, spread.Max)
		}
		from := readings[0].Seconds - float64(r.WindowFrames)/2/float64(r.RateHz)
		fmt.Fprintf(w, "%18.1f  %-20s  %18d\n", from, trip, part.Damaged+part.Missing)
	}
}

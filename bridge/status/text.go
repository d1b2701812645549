package status

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// WriteText writes the status as a short table for people.
func WriteText(w io.Writer, s Status) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(cells ...string) {
		for i, cell := range cells {
			cells[i] = printable(cell)
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}

	title := s.End
	if s.Name != "" {
		title += " " + s.Name
	}
	uptime := time.Duration(s.UptimeSeconds * float64(time.Second)).Truncate(time.Second)
	fmt.Fprintln(w, printable(fmt.Sprintf("%s  archibald-bridge %s, up %s", title, s.Version, uptime)))
	for _, p := range s.Problems {
		fmt.Fprintln(w, printable(fmt.Sprintf("  PROBLEM  %s: %s", p.Side, p.Text)))
	}
	if s.Slots > 0 {
		return writeGuests(w, s)
	}

	row("  audio", audioText(s.Audio))
	row("  machine", machineText(s))
	row("  session", sessionText(s.Session))
	if s.Session.LastError != "" && s.Session.LastError != s.Audio.Reason {
		row("  last error", s.Session.LastError)
	}
	if calls := rejectedCallsText(s.Session.RejectedCalls); calls != "" {
		row("  calls rejected", calls)
	}
	if err := table.Flush(); err != nil {
		return err
	}

	send, receive := s.Directions.Send, s.Directions.Receive
	each := func(name string, text func(Direction) string) { row("  "+name, text(send), text(receive)) }
	row("  ", "send", "receive")
	each("state", func(d Direction) string { return string(d.State) })
	each("peer", func(d Direction) string { return orDash(d.Peer) })
	each("format", formatText)
	for _, counts := range countRows {
		if counts.locked != "" && counts.locked != s.Session.Locked {
			continue
		}
		sent := ""
		if counts.send {
			sent = counts.text(send.Counts)
		}
		row("  "+counts.name, sent, counts.text(receive.Counts))
	}
	if send.SendErrors > 0 || receive.Rejected > 0 {
		row("  not sent, rejected", fmt.Sprint(send.SendErrors), rejectedText(receive.RejectedBy))
	}
	row("  buffer (target)", "", fmt.Sprintf("%.1f (%.1f) frames", receive.BufferFrames, receive.BufferTargetFrames))
	row("  clock", "", clockText(s.Audio, receive))
	each("jitter p50, p99, max", func(d Direction) string {
		return fmt.Sprintf("%.0f, %.0f, %.0f us", d.JitterUs.P50, d.JitterUs.P99, d.JitterUs.Max)
	})
	each("latency, bridge", latencyText)
	row("  latency, stages", "", stagesText(receive.LatencyStagesMs))
	if receive.LatencyReason != "" {
		row("  latency, changed", "", receive.LatencyReason)
	}
	each("latency, total", func(d Direction) string { return d.LatencyMs.Total.String() })
	each("peak dBFS", peakText)
	return table.Flush()
}

func writeGuests(w io.Writer, s Status) error {
	fmt.Fprintf(w, "  guests  %d of %d\n", len(s.Guests), s.Slots)
	if s.Session.LastError != "" {
		fmt.Fprintln(w, "  last error  "+printable(s.Session.LastError))
	}
	if calls := rejectedCallsText(s.Session.RejectedCalls); calls != "" {
		fmt.Fprintln(w, "  calls rejected  "+calls)
	}
	for _, guest := range s.Guests {
		fmt.Fprintln(w)
		if err := WriteText(w, guest); err != nil {
			return err
		}
	}
	return nil
}

func audioText(a Audio) string {
	if a.State == AudioFreewheel {
		return fmt.Sprintf("%s %s, as for an export: silence until it ends; %d Hz, %d frames", a.Server, a.State, a.Rate, a.PeriodFrames)
	}
	if a.State != AudioRunning {
		text := fmt.Sprintf("%s %s", a.Server, a.State)
		if a.Reason != "" {
			text += ": " + a.Reason
		}
		return text
	}
	realtime := "real-time"
	if !a.Realtime {
		realtime = "NOT real-time"
	}
	return fmt.Sprintf("%s %s, %d Hz, %d frames, %s, %d xruns", a.Server, a.State, a.Rate, a.PeriodFrames, realtime, a.Xruns)
}

func clockText(a Audio, d Direction) string {
	text := fmt.Sprintf("%+.1f ppm", d.RatioPPM)
	if a.Rate != 0 && d.Rate != 0 && a.Rate != d.Rate {
		text += fmt.Sprintf(", resampled from %d to %d Hz", d.Rate, a.Rate)
	}
	return text
}

func machineText(s Status) string {
	m, text := s.Machine, "processors kept awake"
	switch {
	case m.CPUAwake:
	case s.Session.State == SessionWaiting: // then they need not be
		text = "processors may sleep until a session is up"
	default:
		text = "processors may sleep"
	}
	if m.MemoryLocked {
		text += ", memory locked"
	} else {
		text += ", memory NOT locked"
	}
	if m.CPUs != "" {
		text += ", audio threads on processors " + m.CPUs
	}
	if m.RealtimeBy != "" {
		text += ", real-time by " + m.RealtimeBy
	}
	return text
}

func sessionText(s Session) string {
	text := string(s.State)
	switch s.Locked {
	case Leads:
		text += fmt.Sprintf(", leads (answers in %s)", periodsText(s.AnswerPeriods))
	case Follows:
		text += ", follows"
	}
	if s.Peer != "" {
		text += ", peer " + s.Peer
	}
	return fmt.Sprintf("%s, %d reconnects; counts are since the session began", text, s.Reconnects)
}

func periodsText(n int) string {
	if n == 1 {
		return "1 period"
	}
	return fmt.Sprintf("%d periods", n)
}

func formatText(d Direction) string {
	if d.Format == "" {
		return "-"
	}
	return fmt.Sprintf("%s/%d/%d, %d frames a packet", d.Format, d.Rate, d.Channels, d.PacketFrames)
}

// rejectedText is the count, and what for where there is one.
func rejectedText(r Rejected) string {
	var reasons []string
	for _, reason := range r.Reasons() {
		if reason.Count > 0 {
			reasons = append(reasons, fmt.Sprintf("%d %s", reason.Count, reason.Words))
		}
	}
	text := fmt.Sprint(r.Sum())
	if len(reasons) > 0 {
		text += ": " + strings.Join(reasons, ", ")
	}
	return text
}

func latencyText(d Direction) string {
	switch {
	case d.LatencyMs.Bridge == 0:
		return d.LatencyMs.Bridge.String()
	case d.LatencyErrorMs == 0:
		return d.LatencyMs.Bridge.String() + " and the wire"
	}
	return fmt.Sprintf("%.3f +- %s, by %s", float64(d.LatencyMs.Bridge), d.LatencyErrorMs, d.LatencyBy)
}

func stagesText(s Stages) string {
	var stages []string
	for _, stage := range []struct {
		name string
		ms   Milliseconds
	}{{"capture", s.Capture}, {"packet", s.Packet}, {"codec", s.Codec}, {"wire", s.Wire}, {"wait", s.Wait}, {"resample", s.Resample}, {"playout", s.Playout}} {
		if stage.ms != 0 {
			stages = append(stages, fmt.Sprintf("%s %.3f", stage.name, float64(stage.ms)))
		}
	}
	return orDash(strings.Join(stages, ", "))
}

func peakText(d Direction) string {
	var peaks []string
	for _, p := range d.PeakDBFS {
		peaks = append(peaks, p.String())
	}
	return orDash(strings.Join(peaks, " "))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// printable replaces control characters: some texts come from the peer, and a
// terminal would obey them.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

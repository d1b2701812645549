package status

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metric is one value of an end, or of one of its directions.
type metric[T any] struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(T) float64
}

func describe[T any](name, help string, labels []string, value func(T) float64) metric[T] {
	m := metric[T]{desc: prometheus.NewDesc("archibald_"+name, help, labels, nil), kind: prometheus.GaugeValue, value: value}
	if len(name) > 6 && name[len(name)-6:] == "_total" {
		m.kind = prometheus.CounterValue
	}
	return m
}

// The labels: which end it is, the bridge's name, and send or receive.
var (
	ofEnd       = []string{"end", "name"}
	ofDirection = []string{"end", "name", "direction"}
)

var endMetrics = []metric[Status]{
	describe("session_up", "1 while there is a session, or plain RTP is sent or received.", ofEnd, func(s Status) float64 {
		return truth(s.Session.State == SessionUp || s.Session.State == SessionStatic)
	}),
	describe("session_reconnects_total", "Sessions that followed an earlier one.", ofEnd, func(s Status) float64 { return float64(s.Session.Reconnects) }),
	describe("session_leads", "1 while this end's cycles drive the peer's graph.", ofEnd, func(s Status) float64 { return truth(s.Session.Locked == Leads) }),
	describe("session_follows", "1 while the peer's packets drive this end's graph.", ofEnd, func(s Status) float64 { return truth(s.Session.Locked == Follows) }),
	describe("session_answer_periods", "In how many periods the follower's sound must be back, of an end that leads; else 0.", ofEnd, func(s Status) float64 { return float64(s.Session.AnswerPeriods) }),
	describe("audio_up", "1 while both nodes are in the audio server's graph.", ofEnd, func(s Status) float64 { return truth(s.Audio.State == AudioRunning || s.Audio.State == AudioFreewheel) }),
	describe("audio_realtime", "1 while the audio threads have real-time scheduling.", ofEnd, func(s Status) float64 { return truth(s.Audio.Realtime) }),
	describe("audio_rate_hertz", "Sample rate of the audio server.", ofEnd, func(s Status) float64 { return float64(s.Audio.Rate) }),
	describe("audio_period_frames", "Period of the audio server.", ofEnd, func(s Status) float64 { return float64(s.Audio.PeriodFrames) }),
	describe("audio_xruns_total", "Xruns that the audio server reported.", ofEnd, func(s Status) float64 { return float64(s.Audio.XrunsTotal) }),
	describe("problems", "Things that are wrong now.", ofEnd, func(s Status) float64 { return float64(len(s.Problems)) }),
}

// Those of the counters are generated.
var directionMetrics = append([]metric[Direction]{
	describe("direction_up", "1 while packets flow.", ofDirection, func(d Direction) float64 { return truth(d.State == DirectionRunning) }),
	describe("buffer_frames", "Frames waiting to be played.", ofDirection, func(d Direction) float64 { return d.BufferFrames }),
	describe("buffer_target_frames", "Frames that should wait to be played.", ofDirection, func(d Direction) float64 { return d.BufferTargetFrames }),
	describe("clock_drift_ratio", "How much faster the sender's clock is, as a share; 0: none, bit for bit.", ofDirection, func(d Direction) float64 { return d.RatioPPM * 1e-6 }),
	describe("jitter_p99_seconds", "How late 99 of 100 packets come at most.", ofDirection, func(d Direction) float64 { return d.JitterUs.P99 * 1e-6 }),
	describe("latency_seconds", "One-way latency of the bridge; 0: not known.", ofDirection, func(d Direction) float64 { return float64(d.LatencyMs.Bridge) * 1e-3 }),
}, countMetrics...)

var (
	rejectedPackets = prometheus.NewDesc("archibald_rejected_packets_total", "Datagrams that were not of the stream, by reason.",
		append([]string{"reason"}, ofDirection...), nil)
	rejectedCalls = prometheus.NewDesc("archibald_rejected_calls_total", "Calls that came to nothing, by reason.", append([]string{"reason"}, ofEnd...), nil)
	problem       = prometheus.NewDesc("archibald_problem_info", "1 for each thing that is wrong now.", append([]string{"code", "side"}, ofEnd...), nil)
)

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// metrics collects the state of an end, or of each guest's, for Prometheus.
type metrics struct{ source Source }

// newRegistry has the metrics of the source and of this process.
func newRegistry(source Source) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(metrics{source}, collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Describe implements prometheus.Collector.
func (m metrics) Describe(into chan<- *prometheus.Desc) {
	for _, each := range endMetrics {
		into <- each.desc
	}
	for _, each := range directionMetrics {
		into <- each.desc
	}
	into <- rejectedPackets
	into <- rejectedCalls
	into <- problem
}

// Collect implements prometheus.Collector.
func (m metrics) Collect(into chan<- prometheus.Metric) {
	s := m.source()
	for _, reason := range s.Session.RejectedCalls.Reasons() {
		into <- prometheus.MustNewConstMetric(rejectedCalls, prometheus.CounterValue, float64(reason.Count), reason.Name, s.End, s.Name)
	}
	ends := []Status{s}
	if s.Slots > 0 {
		ends = s.Guests
	}
	for _, end := range ends {
		tidy(&end)
		for _, each := range endMetrics {
			into <- prometheus.MustNewConstMetric(each.desc, each.kind, each.value(end), end.End, end.Name)
		}
		for _, p := range distinct(end.Problems) {
			into <- prometheus.MustNewConstMetric(problem, prometheus.GaugeValue, 1, p.Code, string(p.Side), end.End, end.Name)
		}
		for direction, d := range map[string]Direction{"send": end.Directions.Send, "receive": end.Directions.Receive} {
			for _, each := range directionMetrics {
				into <- prometheus.MustNewConstMetric(each.desc, each.kind, each.value(d), end.End, end.Name, direction)
			}
			for _, reason := range d.Total.RejectedBy.Reasons() {
				into <- prometheus.MustNewConstMetric(rejectedPackets, prometheus.CounterValue, float64(reason.Count), reason.Name, end.End, end.Name, direction)
			}
		}
	}
}

// distinct are the problems without their texts, each once: Prometheus takes none of
// a scrape that has one twice.
func distinct(problems []Problem) (kinds []Problem) {
	for _, p := range problems {
		if p.Text = ""; !slices.Contains(kinds, p) {
			kinds = append(kinds, p)
		}
	}
	return kinds
}

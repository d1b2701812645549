package status

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetricsFollowTheNamingRules(t *testing.T) {
	problems, err := testutil.GatherAndLint(newRegistry(sample))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func scrape(t *testing.T, source Source) string {
	t.Helper()
	s := serve(t, source)
	answer, err := http.Get("http://" + s.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status, err)
	}
	return string(text)
}

func TestMetricsAreOfTheStatus(t *testing.T) {
	text := scrape(t, func() Status {
		s := sample()
		s.Session.RejectedCalls.Strangers = 6
		s.Session.Locked, s.Session.AnswerPeriods = Leads, 2
		return s
	})
	for _, line := range []string{
		`archibald_session_up{end="guest",name="lab"} 1`,
		`archibald_session_leads{end="guest",name="lab"} 1`,
		`archibald_session_follows{end="guest",name="lab"} 0`,
		`archibald_session_answer_periods{end="guest",name="lab"} 2`,
		`archibald_audio_xruns_total{end="guest",name="lab"} 5`,
		`archibald_packets_total{direction="send",end="guest",name="lab"} 3000`,
		`archibald_lost_packets_total{direction="receive",end="guest",name="lab"} 50`,
		`archibald_send_errors_total{direction="send",end="guest",name="lab"} 8`,
		`archibald_rejected_packets_total{direction="receive",end="guest",name="lab",reason="ssrc"} 12`,
		`archibald_rejected_calls_total{end="guest",name="lab",reason="strangers"} 6`,
		`archibald_problems{end="guest",name="lab"} 0`,
		`archibald_clock_drift_ratio{direction="receive",end="guest",name="lab"} -1.75e-05`,
		`archibald_direction_up{direction="receive",end="guest",name="lab"} 0`,
		`process_cpu_seconds_total`,
	} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
}

func TestMetricsHaveEachKindOfProblemOnce(t *testing.T) {
	s := sample()
	s.Problems = []Problem{{"channels", SideSend, "one"}, {"channels", SideSend, "another"}, {"channels", SideReceive, "this too"}}
	text := scrape(t, func() Status { return s })
	for _, line := range []string{
		`archibald_problems{end="guest",name="lab"} 3`,
		`archibald_problem_info{code="channels",end="guest",name="lab",side="send"} 1`,
		`archibald_problem_info{code="channels",end="guest",name="lab",side="receive"} 1`,
	} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
}

func TestMetricsOfAHostAreOfEachGuest(t *testing.T) {
	ann, bob := sample(), sample()
	ann.End, ann.Name, bob.End, bob.Name = "host", "ann", "host", "bob"
	text := scrape(t, func() Status { return Status{End: "host", Slots: 4, Guests: []Status{ann, bob}} })
	for _, name := range []string{"ann", "bob"} {
		if !strings.Contains(text, `archibald_session_up{end="host",name="`+name+`"} 1`) {
			t.Errorf("no %s in\n%s", name, text)
		}
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, `name=""`) != strings.HasPrefix(line, "archibald_rejected_calls_total{") && !strings.HasPrefix(line, "#") && strings.HasPrefix(line, "archibald_") {
			t.Errorf("calls are the host's, all else is a guest's: %s", line)
		}
	}
}

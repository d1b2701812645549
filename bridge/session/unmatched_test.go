package session

import (
	"testing"

	"archibald-bridge/bridge/health"
	"archibald-bridge/bridge/status"
)

func TestConnectionRulesWithoutAMatchAreProblemsWhileTheyAre(t *testing.T) {
	v := newVirtual(t)
	rules := []string{"a:b -> c:d: no output matches a:b", "e:f -> g:h: no input matches g:h"}
	v.unmatched = func() []string { return rules }
	v.openAudio()
	v.pass(publishInterval)
	problems := v.Status().Problems
	for i, rule := range rules {
		if len(problems) != 2 || problems[i] != (status.Problem{Code: health.UnmatchedRule, Side: status.SideAudio, Text: rule}) {
			t.Fatalf("problems %+v", problems)
		}
	}
	v.logged("no output matches", 0) // the patchbay says it
	rules = nil
	v.pass(publishInterval)
	if problems := v.Status().Problems; len(problems) != 0 {
		t.Errorf("problems %+v", problems)
	}
}

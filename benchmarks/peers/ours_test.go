package main

import (
	"strings"
	"testing"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

func sent(packets, unanswered uint64) status.Status {
	var s status.Status
	s.Directions.Send.Packets, s.Directions.Receive.Unanswered = packets, unanswered
	return s
}

func TestTheShareAnsweredIsTheLeadersSinceTheRunBegan(t *testing.T) {
	then := ends{proto.Guest: sent(1000, 50), proto.Host: sent(1000, 0)}
	now := ends{proto.Guest: sent(2000, 52), proto.Host: sent(1990, 0)}
	if share := now.answeredInTime(proto.Guest, then); share == nil || *share < 0.99799 || *share > 0.99801 {
		t.Errorf("%v, want 0.998", share)
	}
	if share := now.answeredInTime(proto.Host, then); share == nil || *share != 1 {
		t.Errorf("%v, want 1", share)
	}
	if share := now.answeredInTime(proto.Guest, now); share != nil {
		t.Errorf("%v of no cycle", *share)
	}
}

func TestEachSettingOfOursIsFlagsForBothEnds(t *testing.T) {
	for _, test := range []struct {
		clocks  clocks
		setting string
		want    string
	}{
		{freeClocks, "80frames", "--latency 80frames"},
		{guestLeads, "guest leads --answer-periods 1", "--answer-periods 1"},
		{hostLeads, "host leads --answer-periods 2", "--answer-periods 2"},
	} {
		if got := strings.Join(test.clocks.flags(test.setting), " "); got != test.want {
			t.Errorf("%s: %q, want %q", test.setting, got, test.want)
		}
	}
}

package status

import (
	"fmt"
	"strings"
)

// RejectedCalls counts the calls that came to nothing, by reason, since the program
// started.
type RejectedCalls struct {
	Strangers uint64 `json:"strangers"` // from addresses that may not call: closed unread
	Crowded   uint64 `json:"crowded"`   // connections given up for newer ones
	Unproven  uint64 `json:"unproven"`  // without a right proof of the secret
	Refused   uint64 `json:"refused"`   // offers answered with no
}

// Reasons are all counts, in a fixed order.
func (r RejectedCalls) Reasons() []Reason {
	return []Reason{
		{"strangers", "by who may not call", r.Strangers},
		{"crowded", "that held a connection for too long among others", r.Crowded},
		{"unproven", "without the secret", r.Unproven},
		{"refused", "refused", r.Refused},
	}
}

// rejectedCallsText says what for; "" where there was none.
func rejectedCallsText(r RejectedCalls) string {
	var parts []string
	for _, reason := range r.Reasons() {
		if reason.Count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", reason.Count, reason.Words))
		}
	}
	return strings.Join(parts, ", ")
}

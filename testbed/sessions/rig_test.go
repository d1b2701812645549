// Package sessions only tests: how a session begins, ends and comes back. The tests wait
// for what the ends and servers say, and do not judge gaps: others may run at once.
package sessions

import (
	"testing"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/endtoend"
)

// backWithin is generous: this runs on machines that stall. How fast it really
// is the benchmark says.
const backWithin = 10 * time.Second

func start(t *testing.T, config endtoend.Config) *endtoend.Rig {
	t.Helper()
	config.Shared = true
	r, err := endtoend.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.Logs())
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := r.Quiet(); err != nil {
		t.Fatal(err)
	}
	return r
}

func mustStatus(t *testing.T, r *endtoend.Rig, role proto.Role) status.Status {
	t.Helper()
	s, err := r.Status(role)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

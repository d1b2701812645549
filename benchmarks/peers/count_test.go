package main

import (
	"os"
	"strings"
	"testing"
)

func TestWaitsAreReadAndNotThoseThatWereForced(t *testing.T) {
	if n, err := waitsOf([]byte("Name:\tjackd\nvoluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t7\n")); n != 150 || err != nil {
		t.Errorf("%d, %v; want 150", n, err)
	}
	if _, err := waitsOf([]byte("nonvoluntary_ctxt_switches:\t7\n")); err == nil {
		t.Error("a kernel that does not count them is no error")
	}
	own, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := waitsOf(own); err != nil {
		t.Error(err)
	}
}

func TestCallsAreReadFromWhatPerfPrints(t *testing.T) {
	if n, err := countedCalls([]byte("1802,,raw_syscalls:sys_enter,1316992,100.00,,\n")); n != 1802 || err != nil {
		t.Errorf("%d, %v; want 1802", n, err)
	}
	for _, text := range []string{"<not counted>,,raw_syscalls:sys_enter,0,100.00,,\n", "event syntax error: 'raw_syscalls:sys_enter'\n"} {
		if _, err := countedCalls([]byte(text)); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(text)) {
			t.Errorf("%q is told as %v", text, err)
		}
	}
}

func TestTheBenchsMedianIsRead(t *testing.T) {
	if frames, err := benchMedian([]byte(`{"round_trip_frames":{"min":63.9,"p50":64.001,"p99":64.1,"max":70}}`)); frames != 64.001 || err != nil {
		t.Errorf("%v, %v", frames, err)
	}
	for _, text := range []string{`{"round_trip_frames":null}`, "no JSON"} {
		if _, err := benchMedian([]byte(text)); err == nil {
			t.Errorf("%s is no error", text)
		}
	}
}

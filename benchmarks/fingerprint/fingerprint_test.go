package fingerprint

import (
	"math"
	"strings"
	"testing"

	"archibald-bridge/benchmarks/results"
)

const printed = `# Histogram
000000 000000
000001 000900
000002 000089
000003 000009
# Total: 000000998
# Min Latencies: 00001
# Avg Latencies: 00001
# Max Latencies: 02328
# Histogram Overflows: 00002
# Histogram Overflow at cycle number:
# Thread 0: 00000 00001
`

func TestQuantilesOfACyclictestHistogram(t *testing.T) {
	late := lateness(printed)
	if late.P50 != 1 || late.P99 != 3 || late.Max != 2328 {
		t.Errorf("%+v", late)
	}
	if late.P999 != 2328 {
		t.Errorf("p99.9 %v: the thousandth is beyond the histogram, so at most the maximum", late.P999)
	}
	if math.Abs(late.Share667-.002) > 1e-9 {
		t.Errorf("later than 667 us: %v, want the 2 of 1000 beyond the histogram", late.Share667)
	}
}

func TestNothingPrintedIsNoLateness(t *testing.T) {
	if late := lateness(""); late.P50 != 0 || late.Max != 0 {
		t.Errorf("%+v", late)
	}
}

func TestAMachineIsDescribedAndAMissingPackageNamed(t *testing.T) {
	if _, err := Machine("no-such-package"); err == nil || !strings.Contains(err.Error(), "no-such-package") {
		t.Errorf("error %v", err)
	}
	text := Text(results.Machine{Processors: 2, Go: "go1", TimerUs: map[string]results.Lateness{"quiet": {P999: 7, Share667: .5}}})
	for _, want := range []string{"2 processors", "quiet: late by p50 0, p99 0, p99.9 7 us", "50.00 %"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
}

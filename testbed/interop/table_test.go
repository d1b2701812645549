package interop

import (
	"os"
	"strings"
	"testing"

	"archibald-bridge/proto"
)

func TestTheCommittedTableHasEveryCaseOfTheMatrixAndNoOther(t *testing.T) {
	document, err := os.ReadFile("../../docs/interop.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(document)) {
		if strings.Contains(line, " on the wire, by tshark |") {
			rows = -2 // the head and the line below it
		}
		if strings.Contains(line, "| our ends |") {
			break
		}
		if strings.HasPrefix(line, "|") {
			rows++
		}
	}
	matrix := Matrix()
	if rows != len(matrix) {
		t.Errorf("%d rows, %d cases", rows, len(matrix))
	}
	for _, e := range AllEnds() {
		if !strings.Contains(string(document), "\n"+rowOfEnds(e)+" ") {
			t.Errorf("no row for %s, %d and %d channels: go run ./benchmarks interop", e, e.ToHost, e.ToGuest)
		}
	}
	for _, c := range matrix {
		if !strings.Contains(string(document), "\n"+rowOf(c)+" ") {
			t.Errorf("no row for %s: go run ./benchmarks interop", c)
		}
	}
}

func TestEachCaseIsOneOfAKind(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Matrix() {
		if seen[c.String()] || seen[rowOf(c)] {
			t.Errorf("twice: %s", c)
		}
		seen[c.String()], seen[rowOf(c)] = true, true
	}
}

func TestBatchesHoldEveryCaseAndNoMoreThanAMachineCan(t *testing.T) {
	count := 0
	for _, batch := range batches(Matrix()) {
		count += len(batch)
		channels := map[Direction]int{}
		for _, c := range batch {
			channels[c.Direction] += c.Channels
			if c.RateHz != batch[0].RateHz {
				t.Errorf("%d Hz and %d Hz at once", c.RateHz, batch[0].RateHz)
			}
		}
		if len(batch) > mostCases || len(batch) > 1 && max(channels[Send], channels[Receive]) > 64 {
			t.Errorf("at once: %v", batch)
		}
	}
	if count != len(Matrix()) {
		t.Errorf("%d of %d cases", count, len(Matrix()))
	}
}

func TestATableTakesThePlaceOfTheOneBefore(t *testing.T) {
	result := Result{
		Case: Case{Peer: FFmpeg, Direction: Receive, Encoding: proto.L16, Channels: 2, RateHz: 44100}, LatencyMs: 100.04,
		Wire: Wire{Packets: 7, Frames: []int{297, 133}},
	}
	document := "above\n" + tableBegin + "old\n" + tableEnd + "below\n"
	got, err := Replace([]byte(document), "about", Table([]Result{result}))
	want := "above\n" + tableBegin + `about

| peer | we | format | packets | sound | our latency | on the wire, by tshark |
|---|---|---|---|---|---|---|
| ffmpeg | receive | L16/44100/2 |  | whole, resampled | 100.0 ms | 7 packets of 133, 297 frames, 0 lost |
` + tableEnd + "below\n"
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
	if _, err := Replace([]byte("no place"), "", ""); err == nil {
		t.Error("no error")
	}
}

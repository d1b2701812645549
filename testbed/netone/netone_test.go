package netone

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// long is a period within which nothing of these tests is late.
const long = 2 * time.Second

const soon = time.Second

// began waits for the thread's first packet, that of the pace which it keeps before the core has
// asked for a cycle, and answers it.
func began(t *testing.T, d *Drive, left time.Duration) (number uint32) {
	t.Helper()
	first, ok := d.Asked(soon)
	if !ok {
		t.Fatal("netone was asked for nothing")
	}
	d.Answer(first[numberWord], left)
	return first[numberWord]
}

func TestAPacketAsksForACycleOfOurRateAndPeriodWithoutSound(t *testing.T) {
	d := Start(t, long, Led)
	began(t, d, 0)
	d.Packet()
	packet, ok := d.Asked(soon)
	if !ok {
		t.Fatal("netone was asked for nothing")
	}
	if packet[periodWord] != 96000 || packet[rateWord] != 48000 {
		t.Errorf("period %d and rate %d, want 96000 and 48000", packet[periodWord], packet[rateWord])
	}
	for _, channels := range packet[:periodWord] {
		if channels != 0 {
			t.Errorf("channels %v, want none", packet[:periodWord])
		}
	}
	// Less than two headers, and netone ends the server.
	if longest := packet[12]; longest < 2*4*words {
		t.Errorf("the longest datagram has %d bytes", longest)
	}
}

func TestAPacketThatComesWhileACycleRunsWaitsForItsEnd(t *testing.T) {
	d := Start(t, long, Led)
	began(t, d, 0)
	for range 20 {
		d.Packet()
		first, ok := d.Asked(soon)
		if !ok {
			t.Fatal("no cycle for a packet")
		}
		d.Packet()
		before := ran(t, d)
		if _, ok := d.Asked(20 * time.Millisecond); ok {
			t.Fatal("a cycle was asked for while one ran")
		}
		if used := ran(t, d) - before; used > 5*time.Millisecond {
			t.Errorf("the thread ran for %v while it could only wait", used)
		}
		d.Answer(first[numberWord], 0)
		d.CycleEnds()
		second, ok := d.Asked(soon)
		if !ok || second[numberWord] != first[numberWord]+1 {
			t.Fatalf("cycle %d after %d, %v", second[numberWord], first[numberWord], ok)
		}
		d.Answer(second[numberWord], 0)
		d.CycleEnds()
	}
	if ended := d.Ended(); ended < 39 {
		t.Errorf("the core was told of %d ends of 40", ended)
	}
}

func TestACycleCostsOneWakeUp(t *testing.T) {
	d := Start(t, long, Led)
	began(t, d, 0)
	before := wakes(t, d)
	const cycles = 200
	for range cycles {
		d.Packet()
		packet, ok := d.Asked(soon)
		if !ok {
			t.Fatal("no cycle for a packet")
		}
		d.Answer(packet[numberWord], 0)
		d.CycleEnds()
	}
	// A packet may come when capture is not through, which costs one more.
	if n := wakes(t, d) - before; n > cycles+cycles/10 {
		t.Errorf("%d wake-ups for %d cycles", n, cycles)
	}
}

// wakes is how often the thread went to sleep.
func wakes(t *testing.T, d *Drive) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/task/" + strconv.Itoa(d.Thread()) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if n, ok := strings.CutPrefix(line, "voluntary_ctxt_switches:"); ok {
			count, _ := strconv.Atoi(strings.TrimSpace(n))
			return count
		}
	}
	t.Fatal("no count of wake-ups")
	return 0
}

func TestTheNumberIsNetonesWhereItRanByItself(t *testing.T) {
	d := Start(t, long, Led)
	number := began(t, d, 0)
	for _, ahead := range []uint32{0, 1, 9, 1000} {
		d.Packet()
		if packet, ok := d.Asked(soon); !ok || packet[numberWord] != number+1 {
			t.Fatalf("number %d %v, want %d", packet[numberWord], ok, number+1)
		}
		number += 1 + ahead
		d.Answer(number, 0)
		d.Answer(number-1, 0) // an old one changes nothing
		d.CycleEnds()
	}
}

// netone moves its deadline by a hundredth of a period per cycle, as the word says.
func TestNetonesDeadlineIsBroughtToSixPeriodsAndHeldThere(t *testing.T) {
	const period = 20 * time.Millisecond // longer ones have half a second
	d := Start(t, period, Led)
	for _, begins := range []time.Duration{0, 12 * period} {
		left := begins
		for range 640 {
			d.Packet()
			packet, ok := d.Asked(soon)
			if !ok {
				t.Fatal("no cycle for a packet")
			}
			half := -int32((period.Microseconds() + 1) / 2)
			switch word := int32(packet[syncWord]); {
			case word > half:
				left += period / 100
			case word < half:
				left -= period / 100
			}
			d.Answer(packet[numberWord], left)
			d.CycleEnds()
		}
		if off := left - 6*period; off.Abs() > period/10 {
			t.Errorf("from %v: %v before the deadline, want %v", begins, left, 6*period)
		}
	}
}

func TestNetoneThatDoesNotAnswerGetsFewPackets(t *testing.T) {
	const period = 2 * time.Millisecond
	d := Start(t, period, Deaf)
	asked := 0
	for end := time.Now().Add(100 * period); time.Now().Before(end); {
		if _, ok := d.Asked(period); ok {
			asked++
		}
	}
	if asked < 4 || asked > 8 {
		t.Errorf("%d packets in 100 periods, want 4 at once and then one in 32", asked)
	}
}

func TestACoreThatAsksForNothingLeavesTheGraphItsPace(t *testing.T) {
	const period = 5 * time.Millisecond
	d := Start(t, period, Deaf)
	asked := 0
	began := time.Now()
	for time.Since(began) < 100*period {
		if packet, ok := d.Asked(period); ok {
			asked++
			d.Answer(packet[numberWord], 0)
		}
	}
	if asked < 90 || asked > 106 {
		t.Errorf("%d cycles in 100 periods", asked)
	}
}

// Where no packets come nothing else wakes the thread at the end of a cycle.
func TestACoreThatKeepsThePaceLearnsTheEndOfEachCycleAtOnce(t *testing.T) {
	const period = 5 * time.Millisecond
	d := Start(t, period, Paced)
	asked := 0
	began := time.Now()
	for time.Since(began) < 100*period {
		if packet, ok := d.Asked(period); ok {
			asked++
			d.Answer(packet[numberWord], 0)
			d.CycleEnds()
		}
	}
	if ended := d.Ended(); asked < 90 || ended < 90 || asked > 106 {
		t.Errorf("%d cycles in 100 periods, of which the core saw %d end", asked, ended)
	}
}

func TestAGraphThatFreewheelsIsNotDriven(t *testing.T) {
	const period = 5 * time.Millisecond
	d := Start(t, period, Deaf)
	began(t, d, 0)
	d.Freewheel(true)
	for { // what was on its way
		if _, ok := d.Asked(10 * period); !ok {
			break
		}
	}
	if _, ok := d.Asked(20 * period); ok {
		t.Error("netone was asked for a cycle while the graph freewheeled")
	}
	d.Freewheel(false)
	if _, ok := d.Asked(soon); !ok {
		t.Error("netone was asked for nothing afterwards")
	}
}

// What the core does not read stays readable: the thread must not run for ever.
func TestASocketThatNobodyReadsDoesNotKeepTheThreadAwake(t *testing.T) {
	const period = 20 * time.Millisecond
	d := Start(t, period, Deaf)
	began(t, d, 0)
	d.Packet()
	time.Sleep(10 * period)
	before := ran(t, d)
	time.Sleep(20 * period)
	if used := ran(t, d) - before; used > 20*period/8 {
		t.Errorf("the thread ran for %v of %v", used, 20*period)
	}
}

// ran is for how long the thread had a processor.
func ran(t *testing.T, d *Drive) time.Duration {
	t.Helper()
	stat, err := os.ReadFile("/proc/self/task/" + strconv.Itoa(d.Thread()) + "/schedstat")
	if err != nil {
		t.Fatal(err)
	}
	ns, err := strconv.ParseInt(strings.Fields(string(stat))[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(ns)
}

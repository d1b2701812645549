package realtime

import (
	"errors"
	"log/slog"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/proto"
)

// affinity is where a thread may run.
func affinity(t *testing.T, thread int) config.CPUs {
	t.Helper()
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(thread, &set); err != nil {
		t.Fatal(err)
	}
	var cpus config.CPUs
	for n := range len(set) * 64 {
		if set.IsSet(n) {
			cpus.Numbers = append(cpus.Numbers, n)
		}
	}
	return cpus
}

func TestProcessorThatIsNotThereIsAnErrorThatNamesThoseThatAre(t *testing.T) {
	cfg := config.Default(proto.Host)
	cfg.CPUs.Numbers = []int{affinity(t, 0).Numbers[0], 1023}
	_, err := New(cfg, func() bool { return true }, slog.Default())
	var wrong *fault.WrongValue
	if !errors.As(err, &wrong) || wrong.Where != "cpus" || wrong.Value != cfg.CPUs.String() {
		t.Fatalf("error %v, want one about the key cpus", err)
	}
	_, list, _ := strings.Cut(wrong.Legal, ": ")
	var legal config.CPUs
	if err := legal.UnmarshalText([]byte(list)); err != nil {
		t.Fatalf("%q does not end with the processors that are legal", wrong.Legal)
	}
	for _, number := range affinity(t, 0).Numbers { // isolated ones may be legal, too
		if !slices.Contains(legal.Numbers, number) {
			t.Errorf("processor %d is not said to be legal: %q", number, wrong.Legal)
		}
	}
	if slices.Contains(legal.Numbers, 1023) {
		t.Errorf("processor 1023 is said to be legal: %q", wrong.Legal)
	}
}

func TestLookingForProcessorsMovesNobody(t *testing.T) {
	before := affinity(t, 0)
	usable := usableCPUs()
	for _, number := range before.Numbers {
		if !usable.IsSet(number) {
			t.Errorf("processor %d, where this runs, is not usable", number)
		}
	}
	if after := affinity(t, 0); !slices.Equal(before.Numbers, after.Numbers) {
		t.Errorf("allowed on %v before, on %v after", before, after)
	}
}

func TestAudioThreadsArePinnedAndAgainWhenTheServerMadeNewOnes(t *testing.T) {
	anywhere := affinity(t, 0)
	last := anywhere.Numbers[len(anywhere.Numbers)-1]
	m, _ := newMachine(t, func(c *config.Config) { c.CPUs.Numbers = []int{last} })
	if got := m.Status().CPUs; got != "" {
		t.Errorf("pinned to %q before there is a thread", got)
	}
	bystander, _ := audioThread(t)
	first, stopFirst := audioThread(t)
	second, stopSecond := audioThread(t)
	m.Tend(audio.Threads{IDs: []int{first, second}, Priority: 5})
	eventually(t, "both are served", m.idle)
	for _, id := range []int{first, second} {
		if got := affinity(t, id); !slices.Equal(got.Numbers, []int{last}) {
			t.Errorf("thread %d may run on %v, want %d", id, got, last)
		}
	}
	if got := m.Status().CPUs; got != (config.CPUs{Numbers: []int{last}}).String() {
		t.Errorf("status says %q", got)
	}
	stopFirst()
	stopSecond()
	m.Tend(audio.Threads{})
	eventually(t, "the end of both is noticed", m.idle)
	if got := m.Status().CPUs; got != "" {
		t.Errorf("without threads status says %q", got)
	}
	again, _ := audioThread(t)
	m.Tend(audio.Threads{IDs: []int{again}, Priority: 5})
	eventually(t, "the new one is served", m.idle)
	if got := affinity(t, again); !slices.Equal(got.Numbers, []int{last}) {
		t.Errorf("the new thread may run on %v, want %d", got, last)
	}
	if got := affinity(t, bystander); !slices.Equal(got.Numbers, anywhere.Numbers) {
		t.Errorf("another thread was moved to %v", got)
	}
}

func TestThreadsStayWhereTheyAreWhenNoProcessorsAreNamed(t *testing.T) {
	m, _ := newMachine(t, nil)
	id, _ := audioThread(t)
	before := affinity(t, id)
	m.Tend(audio.Threads{IDs: []int{id}, Priority: 5})
	eventually(t, "it is served", m.idle)
	if after := affinity(t, id); !slices.Equal(before.Numbers, after.Numbers) || m.Status().CPUs != "" {
		t.Errorf("moved from %v to %v, status %q", before, after, m.Status().CPUs)
	}
}

// Thread ids are the machine's: one that has ended may be another program's.
func TestThreadsOfOtherProgramsAreLeftAlone(t *testing.T) {
	other := exec.Command("sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Wait() }()
	defer func() { _ = other.Process.Kill() }()
	foreign := other.Process.Pid
	if ours(foreign) {
		t.Fatal("another process is taken for a thread of this program")
	}
	own, _ := audioThread(t)
	if !ours(own) {
		t.Error("a thread of this program is taken for another's")
	}
	m, log := newMachine(t, nil)
	m.Tend(audio.Threads{IDs: []int{foreign}, Priority: 5})
	eventually(t, "it is passed over", m.idle)
	if attributes, err := unix.SchedGetAttr(foreign, 0); err != nil || attributes.Policy != unix.SCHED_NORMAL {
		t.Errorf("the other process: %+v, %v", attributes, err)
	}
	if m.Status().RealtimeBy != "" || log.String() != "" {
		t.Errorf("status %+v, log %s", m.Status(), log)
	}
}

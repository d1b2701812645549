package realtime

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/status"
)

func rttimeLimit() unix.Rlimit {
	var limit unix.Rlimit
	_ = unix.Getrlimit(unix.RLIMIT_RTTIME, &limit) // cannot fail
	return limit
}

// keepLimits gives back after the test what it may not keep; for a user
// without rights that is not possible, and harmless.
func keepLimits(t *testing.T) {
	t.Helper()
	for _, resource := range []int{unix.RLIMIT_RTTIME, unix.RLIMIT_RTPRIO} {
		var before unix.Rlimit
		if err := unix.Getrlimit(resource, &before); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Setrlimit(resource, &before) })
	}
}

// withoutRights runs f on a thread that may make nothing real-time.
func withoutRights(t *testing.T, f func()) {
	t.Helper()
	keepLimits(t)
	if err := unix.Setrlimit(unix.RLIMIT_RTPRIO, &unix.Rlimit{}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread is thrown away
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var sets [2]unix.CapUserData
		err := unix.Capget(&header, &sets[0])
		sets[0].Effective &^= 1 << unix.CAP_SYS_NICE
		if err == nil {
			err = unix.Capset(&header, &sets[0])
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestRealtimeKitIsAskedWithinWhatItAllows(t *testing.T) {
	longestUs := min(150_000, rttimeLimit().Max) // another test may have lowered it for good
	kit := newFakeKit(t, 20, 150_000)
	m, log := newMachine(t, nil)
	first, _ := audioThread(t)
	second, _ := audioThread(t)
	withoutRights(t, func() {
		if _, by := m.serve(audio.Threads{IDs: []int{first}, Priority: 65}); by != status.RealtimeByKit {
			t.Errorf("real-time by %q, want RealtimeKit: %s", by, log)
		}
		m.serve(audio.Threads{IDs: []int{second}, Priority: 5})
	})
	want := []request{{uint64(first), 20, longestUs}, {uint64(second), 5, longestUs}}
	if got := kit.requests(); !slices.Equal(got, want) {
		t.Errorf("asked %+v, want %+v", got, want)
	}
	if log.String() != "" {
		t.Errorf("complaints without a reason: %s", log)
	}
}

func TestATighterTimeLimitStays(t *testing.T) {
	keepLimits(t)
	if err := unix.Setrlimit(unix.RLIMIT_RTTIME, &unix.Rlimit{Cur: 50_000, Max: 100_000}); err != nil {
		t.Fatal(err)
	}
	kit := newFakeKit(t, 20, 100_000)
	id, _ := audioThread(t)
	if err := promoteByKit(id, 5); err != nil {
		t.Fatal(err)
	}
	if limit := rttimeLimit(); limit.Cur != 50_000 || limit.Max != 100_000 || len(kit.requests()) != 1 {
		t.Errorf("limit %+v after %d requests", limit, len(kit.requests()))
	}
}

func TestRefusalsAreToldOnceWithBothReasonsAndTheRemedy(t *testing.T) {
	kit := newFakeKit(t, 20, 150_000)
	kit.refuse(dbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{"too many threads"}))
	m, log := newMachine(t, nil)
	first, _ := audioThread(t)
	second, _ := audioThread(t)
	withoutRights(t, func() {
		for range 2 { // the server was restarted
			if _, by := m.serve(audio.Threads{IDs: []int{first, second}, Priority: 65}); by != "" {
				t.Errorf("real-time by %q, want nobody", by)
			}
		}
	})
	if n := strings.Count(log.String(), "ordinary priority"); n != 1 {
		t.Errorf("told %d times, want once:\n%s", n, log)
	}
	for _, part := range []string{"expect dropouts", "operation not permitted", "too many threads", "rtprio", "CAP_SYS_NICE", "rtkit"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("no %q in %s", part, log)
		}
	}
}

func TestWithoutASystemBusItIsSaidAtOnce(t *testing.T) {
	m, log := newMachine(t, nil)
	id, _ := audioThread(t)
	start := time.Now()
	withoutRights(t, func() { m.serve(audio.Threads{IDs: []int{id}, Priority: 65}) })
	if took := time.Since(start); took >= kitTimeout {
		t.Errorf("it took %v", took)
	}
	if !strings.Contains(log.String(), "no system bus") {
		t.Errorf("log %s", log)
	}
}

func TestABusWithoutRealtimeKitIsARefusal(t *testing.T) {
	systemBus(t)
	id, _ := audioThread(t)
	if err := promoteByKit(id, 5); err == nil || !strings.Contains(err.Error(), kitName) {
		t.Errorf("error %v, want one that names the service", err)
	}
}

func TestARealtimeKitThatAllowsNothingIsNotAsked(t *testing.T) {
	for _, allowed := range [][2]int64{{0, 200_000}, {20, 0}, {-1, 200_000}, {20, -1}} {
		kit := newFakeKit(t, int32(allowed[0]), allowed[1])
		before := rttimeLimit()
		id, _ := audioThread(t)
		if err := promoteByKit(id, 5); err == nil || len(kit.requests()) != 0 || rttimeLimit() != before {
			t.Errorf("%v: error %v, %d requests, limit %+v", allowed, err, len(kit.requests()), rttimeLimit())
		}
	}
}

// A bus that accepts and says nothing must not keep the next server's threads
// waiting forever.
func TestASilentBusIsGivenUp(t *testing.T) {
	silentBus(t)
	id, _ := audioThread(t)
	start := time.Now()
	err := promoteByKit(id, 5)
	if took := time.Since(start); err == nil || took < kitTimeout {
		t.Errorf("gave up after %v: %v", took, err)
	}
}

// The rest of Tend, with rights that the test hands out.

func TestTendDoesNotWaitAndServesWhatCameMeanwhileNext(t *testing.T) {
	m, _ := newMachine(t, nil)
	asked, answer := make(chan int), make(chan struct{})
	m.promote = func(thread, _ int) (string, error) {
		asked <- thread
		<-answer
		return status.RealtimeByKit, nil
	}
	first, _ := audioThread(t)
	second, _ := audioThread(t)
	m.Tend(audio.Threads{IDs: []int{first}})
	if got := <-asked; got != first {
		t.Fatalf("thread %d is served, want %d", got, first)
	}
	m.Tend(audio.Threads{IDs: []int{second}}) // returns although the first is not done
	if by := m.Status().RealtimeBy; by != "" {
		t.Errorf("real-time by %q before there is an answer", by)
	}
	close(answer)
	eventually(t, "the first is done", m.idle)
	if by := m.Status().RealtimeBy; by != status.RealtimeByKit {
		t.Errorf("real-time by %q", by)
	}
	m.Tend(audio.Threads{IDs: []int{second}}) // the next tick
	if got := <-asked; got != second {
		t.Fatalf("thread %d is served, want %d", got, second)
	}
	eventually(t, "the second is done", m.idle)
	for range 3 {
		m.Tend(audio.Threads{IDs: []int{second}})
	}
	if !m.idle() {
		t.Error("threads that were served are served again")
	}
}

func TestStatusNamesTheLastThatHadToBeAskedAndNobodyWhenAThreadIsNotRealTime(t *testing.T) {
	first, _ := audioThread(t)
	second, _ := audioThread(t)
	for _, test := range []struct{ first, second, want string }{
		{status.RealtimeByServer, status.RealtimeByServer, status.RealtimeByServer},
		{status.RealtimeByServer, status.RealtimeByRights, status.RealtimeByRights},
		{status.RealtimeByKit, status.RealtimeByRights, status.RealtimeByKit},
		{status.RealtimeByServer, "", ""},
		{"", status.RealtimeByKit, ""},
	} {
		m, log := newMachine(t, nil)
		m.promote = func(thread, priority int) (string, error) {
			by := map[int]string{first: test.first, second: test.second}[thread]
			if by == "" {
				return "", errors.New("refused")
			}
			return by, nil
		}
		m.Tend(audio.Threads{IDs: []int{first, second}})
		eventually(t, "both are served", m.idle)
		if by := m.Status().RealtimeBy; by != test.want {
			t.Errorf("%q and %q: status says %q, want %q", test.first, test.second, by, test.want)
		}
		if told := strings.Contains(log.String(), "ordinary priority"); told != (test.want == "") {
			t.Errorf("%q and %q: log %q", test.first, test.second, log)
		}
	}
}

func TestStatusSaysWhetherMemoryIsLockedNow(t *testing.T) {
	m, _ := newMachine(t, nil)
	locked := true
	m.memoryLocked = func() bool { return locked }
	if !m.Status().MemoryLocked {
		t.Error("locked memory is reported as not locked")
	}
	locked = false // the limit was reached when a stream was started
	if m.Status().MemoryLocked {
		t.Error("memory that could not be locked is reported as locked")
	}
}

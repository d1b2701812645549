package realtime

import (
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/config"
	"archibald-bridge/proto"
)

// logLines is a log that can be read.
type logLines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newMachine(t *testing.T, change func(*config.Config)) (*Machine, *logLines) {
	t.Helper()
	cfg := config.Default(proto.Guest)
	if change != nil {
		change(&cfg)
	}
	log := &logLines{}
	m, err := New(cfg, func() bool { return true }, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return m, log
}

// audioThread stands for a thread that an audio server made: Go runs nothing
// else on it. It lives until the test ends or stop is called.
func audioThread(t *testing.T) (id int, stop func()) {
	t.Helper()
	ids, end, gone := make(chan int), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		runtime.LockOSThread() // for good: the thread is thrown away
		ids <- unix.Gettid()
		<-end
	}()
	stop = sync.OnceFunc(func() { close(end); <-gone })
	t.Cleanup(stop)
	return <-ids, stop
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within 10 s", what)
}

// idle says whether all threads have been served.
func (m *Machine) idle() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.busy
}

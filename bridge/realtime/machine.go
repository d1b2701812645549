package realtime

import (
	"log/slog"
	"os"
	"slices"
	"sync"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/session"
	"archibald-bridge/bridge/status"
)

// Machine is the session.Machine of this computer.
type Machine struct {
	keepAwake    bool
	latencyPath  string
	cpus         config.CPUs
	memoryLocked func() bool
	promote      func(thread, priority int) (by string, err error)
	log          *slog.Logger

	mu     sync.Mutex // guards what follows
	awake  *os.File   // nil: the processors may sleep
	tended []int      // threads that have been served, or are being served
	busy   bool       // serve runs
	told   map[string]bool
	cpuSet string // in force
	by     string // who made the threads real-time
}

var _ session.Machine = (*Machine)(nil)

// New returns the Machine for a configuration. memoryLocked says whether the
// core's memory is locked. The error is a *fault.WrongValue about processors that
// are not there or that this process may not use.
func New(cfg config.Config, memoryLocked func() bool, log *slog.Logger) (*Machine, error) {
	if err := checkCPUs(cfg.CPUs); err != nil {
		return nil, err
	}
	return &Machine{
		keepAwake: cfg.CPUSleep == config.CPUSleepPrevent, latencyPath: latencyDevice,
		cpus: cfg.CPUs, memoryLocked: memoryLocked, promote: promote, log: log, told: map[string]bool{},
	}, nil
}

// Tend serves threads it has not seen, on a goroutine of its own: RealtimeKit
// may have to be started first.
func (m *Machine) Tend(threads audio.Threads) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy || slices.Equal(threads.IDs, m.tended) {
		return
	}
	m.tended, m.busy = slices.Clone(threads.IDs), true
	go func() {
		cpuSet, by := m.serve(threads)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.cpuSet, m.by, m.busy = cpuSet, by, false
	}()
}

// serve pins and promotes the threads. It returns the processors in force, and
// who made the threads real-time: of several the last that had to be asked, ""
// when one of them is not.
func (m *Machine) serve(threads audio.Threads) (cpuSet, by string) {
	if len(threads.IDs) == 0 {
		return "", ""
	}
	last, failed := -1, false
	cpuSet = m.cpus.String()
	for _, id := range threads.IDs {
		if !ours(id) {
			continue // it has ended meanwhile
		}
		if err := pin(id, m.cpus); err != nil {
			cpuSet = ""
			m.warn("audio threads may run on every processor", "reason", err)
		}
		from, err := m.promote(id, threads.Priority)
		if err != nil {
			failed = true
			m.warn("audio threads have ordinary priority: expect dropouts when the machine is busy", "reason", err, "remedy", realtimeRemedy)
			continue
		}
		last = max(last, slices.Index(sources, from))
	}
	if failed || last < 0 {
		return cpuSet, ""
	}
	return cpuSet, sources[last]
}

// warn tells something once in the life of the program, however often it
// happens.
func (m *Machine) warn(message string, attributes ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.warnLocked(message, attributes...)
}

func (m *Machine) warnLocked(message string, attributes ...any) {
	if !m.told[message] {
		m.told[message] = true
		m.log.Warn(message, attributes...)
	}
}

// Status returns what is in force now.
func (m *Machine) Status() status.Machine {
	m.mu.Lock()
	defer m.mu.Unlock()
	return status.Machine{CPUAwake: m.awake != nil, MemoryLocked: m.memoryLocked(), CPUs: m.cpuSet, RealtimeBy: m.by}
}

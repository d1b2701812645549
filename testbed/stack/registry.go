package stack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// jackd2 keeps a table of the machine's eight JACK servers in this file: for each
// its process id, as a C int, and then "jack-UID:SERVER:" (common/shm.h).
const registryFile = "jack-shm-registry"

var registryEntry = regexp.MustCompile(`jack-(\d+):([^:\x00]+):`)

// registeredServers are the user's JACK servers in the table and their process ids.
func registeredServers() map[string]int {
	table, err := os.ReadFile(filepath.Join(sharedMemoryDir, registryFile))
	if err != nil {
		return nil // no server has run yet
	}
	servers := map[string]int{}
	for _, at := range registryEntry.FindAllSubmatchIndex(table, -1) {
		uid, server := string(table[at[2]:at[3]]), string(table[at[4]:at[5]])
		if at[0] >= 4 && uid == strconv.Itoa(os.Getuid()) {
			servers[server] = int(int32(binary.NativeEndian.Uint32(table[at[0]-4:])))
		}
	}
	return servers
}

// sharedPlaces are those of the eight that the servers of tests may have that share the
// machine. Three of the others are for testbed/jacktest: one for each of the processes that run
// at once (scripts/test.sh); the last is left free.
const sharedPlaces = 4

// hasPlace says whether a server finds a place where others share the machine. A server that was
// killed has one until it starts again or its Stack is closed: jackd2 gives it to nobody else.
func hasPlace(server string, registered map[string]int) bool {
	taken := 0
	for other := range registered {
		if other == server {
			return true // from before
		}
		if !strings.HasPrefix(other, "archibald-test-") { // testbed/jacktest's
			taken++
		}
	}
	return taken < sharedPlaces
}

// takePlace waits until jackd finds a place, a minute at most: tests that have some servers and
// wait for one more could wait for each other. Where others share the machine, none of them
// takes a place until started is called: two that look at the same time would see the same one.
func takePlace(server string) (started func(), err error) {
	if !sharesMachine() {
		return nil, nil
	}
	lock, err := lockFile("place")
	if err != nil {
		return nil, fmt.Errorf("a place for a JACK server: %w", err)
	}
	started = func() { _ = lock.Close() } // which unlocks it
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if err := flock(lock, syscall.LOCK_EX); err != nil {
			started()
			return nil, fmt.Errorf("a place for a JACK server: %w", err)
		}
		if hasPlace(server, registeredServers()) || time.Now().After(deadline) {
			return started, nil
		}
		if err := flock(lock, syscall.LOCK_UN); err != nil { // others may start again, and end
			started()
			return nil, fmt.Errorf("a place for a JACK server: %w", err)
		}
	}
}

// isGone says whether no process has the id, not even one that has ended and that
// its parent has not asked after: jackd2 takes that for a running server.
func isGone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// hasEnded says whether a process is gone or has at least ended.
func hasEnded(pid int) bool {
	state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(state), ") Z ")
}

// reclaimAbandoned frees the places of servers whose owners, named in the servers'
// names, ended without closing their Stack.
func reclaimAbandoned() {
	for server, pid := range registeredServers() {
		owner, err := strconv.Atoi(server[strings.LastIndexByte(server, '-')+1:])
		if err == nil && hasEnded(owner) && hasEnded(pid) {
			_ = reclaimJack(server)
		}
	}
}

// reclaimJack removes what a jackd that did not end by itself left: 107 MB of
// shared memory and one of the machine's eight places for JACK servers ("Too many
// servers already active"), taken forever. Only jackd can give that back, at
// the next start under the same name: so it starts and stops once more.
func reclaimJack(server string) error {
	removeJackFiles(server) // a socket seen below is then the new one
	deadline := time.Now().Add(stopTimeout)
	for {
		pid, taken := registeredServers()[server]
		if !taken {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("JACK server %s, process %d, keeps one of the machine's eight places", server, pid)
		}
		if isGone(pid) {
			startAndStop(server)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func startAndStop(server string) {
	path, err := find("jackd")
	if err != nil {
		return // then none has run here
	}
	p := &Process{Name: "jackd", Log: os.DevNull, argv: []string{path, "-n", server, "-d", "dummy"}, env: os.Environ()}
	if p.launch() == nil {
		_ = jackReady(p, server)
		p.end(syscall.SIGTERM)
	}
	removeJackFiles(server)
}

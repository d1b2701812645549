package jacktest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Server is a jackd of the test's own, with the dummy driver or with netone.
type Server struct {
	Name   string
	Port   int // UDP port of netone; 0: the dummy driver
	rateHz int
	sync   bool     // netone: the server waits for the end of each cycle (-S)
	user   int      // who runs it
	env    []string // of its own
	t      *testing.T
	cmd    *exec.Cmd
	log    bytes.Buffer
}

// Start starts a jackd at 48 kHz that ends with the test. Its name contains this
// process's id. It returns when the server answers.
func Start(t *testing.T, periodFrames int) *Server {
	t.Helper()
	return StartAt(t, 48000, periodFrames)
}

// StartAt is Start at another rate than 48 kHz.
func StartAt(t *testing.T, rateHz, periodFrames int) *Server {
	t.Helper()
	return start(&Server{rateHz: rateHz, user: os.Getuid(), t: t}, periodFrames)
}

// StartNetone is Start with the driver netone, which is driven by packets to Port. sync is
// jackd's -S.
func StartNetone(t *testing.T, periodFrames int, sync bool) *Server {
	t.Helper()
	return start(&Server{rateHz: 48000, user: os.Getuid(), t: t, Port: freePort(t), sync: sync}, periodFrames)
}

func freePort(t *testing.T) int {
	t.Helper()
	socket, err := net.ListenUDP("udp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	return socket.LocalAddr().(*net.UDPAddr).Port
}

// StartAs is Start as another user, which root alone may, with additional environment
// variables.
func StartAs(t *testing.T, user, periodFrames int, env ...string) *Server {
	t.Helper()
	return start(&Server{rateHz: 48000, user: user, env: env, t: t}, periodFrames)
}

func start(s *Server, periodFrames int) *Server {
	t := s.t
	t.Helper()
	s.Name = fmt.Sprintf("archibald-test-%d", os.Getpid())
	s.Restart(periodFrames)
	t.Cleanup(func() {
		s.stop()
		leftovers, _ := filepath.Glob("/dev/shm/*" + s.Name + "*")
		for _, path := range leftovers {
			_ = os.RemoveAll(path)
		}
		if t.Failed() {
			t.Logf("jackd said:\n%s", s.log.String())
		}
	})
	return s
}

// Restart starts jackd again after Kill.
func (s *Server) Restart(periodFrames int) {
	s.t.Helper()
	args := []string{"-n", s.Name, "-R", "-P70"}
	if s.sync {
		args = append(args, "-S")
	}
	driver := []string{"-d", "dummy"}
	if s.Port != 0 {
		driver = []string{"-d", "netone", "-l", strconv.Itoa(s.Port)}
	}
	args = append(append(args, driver...), "-r", strconv.Itoa(s.rateHz), "-p", strconv.Itoa(periodFrames))
	s.cmd = exec.Command("jackd", args...)
	s.cmd.Env = append(append(os.Environ(), "JACK_NO_AUDIO_RESERVATION=1"), s.env...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	// A test that is killed takes its server with it.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if s.user != os.Getuid() {
		s.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(s.user), Gid: uint32(s.user)}
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("jackd: %v (Debian package jackd2)", err)
	}
	// What a client does first. jack_wait would look once a second.
	for range 500 {
		for _, owner := range []string{fmt.Sprintf("_%d", s.user), ""} { // "": promiscuous
			if call, err := net.Dial("unix", fmt.Sprintf("/dev/shm/jack_%s%s_0", s.Name, owner)); err == nil {
				call.Close()
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("jackd %s does not come up within 10 s", s.Name)
}

// Kill ends jackd with SIGKILL, and returns when it is gone.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Pause lets jackd stand still for a while.
func (s *Server) Pause(d time.Duration) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		s.t.Fatalf("jackd: %v", err)
	}
	time.Sleep(d)
	if err := s.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		s.t.Fatalf("jackd: %v", err)
	}
}

// stop lets jackd sign off: its registry in /dev/shm has room for eight
// servers, and one that was killed keeps its place until one of the same name
// is started.
func (s *Server) stop() {
	if s.cmd == nil {
		return
	}
	deadline := time.AfterFunc(3*time.Second, func() { _ = s.cmd.Process.Kill() })
	defer deadline.Stop()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
	s.cmd = nil
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "JACK_DEFAULT_SERVER="+s.Name, "JACK_NO_START_SERVER=1")
	return cmd
}

// Run runs one of JACK's command line clients and returns what it printed. A
// server that refuses it, because another client was leaving, is asked again.
func (s *Server) Run(name string, args ...string) string {
	s.t.Helper()
	var out []byte
	var err error
	for range 5 {
		if out, err = s.command(name, args...).CombinedOutput(); err == nil {
			return string(out)
		}
		time.Sleep(300 * time.Millisecond)
	}
	s.t.Fatalf("%s %v: %v %s", name, args, err, out)
	return ""
}

// Daemon starts a JACK client that is killed at the end of the test, with
// additional environment variables.
func (s *Server) Daemon(env []string, name string, args ...string) *exec.Cmd {
	s.t.Helper()
	cmd := s.command(name, args...)
	cmd.Env = append(cmd.Env, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("%s: %v", name, err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// Ports returns the names of all ports.
func (s *Server) Ports() []string {
	s.t.Helper()
	return strings.Fields(s.Run("jack_lsp"))
}

// Connected tells whether jack_lsp shows the connection.
func (s *Server) Connected(source, sink string) bool {
	s.t.Helper()
	at := ""
	for line := range strings.Lines(s.Run("jack_lsp", "-c")) {
		if !strings.HasPrefix(line, " ") {
			at = strings.TrimSpace(line)
		} else if at == source && strings.TrimSpace(line) == sink {
			return true
		}
	}
	return false
}

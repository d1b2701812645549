package jack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/audio"
)

// promiscuous is the variable that lets clients of a group into a server, where jackd
// and the client both have it; its value is the group.
const promiscuous = "JACK_PROMISCUOUS_SERVER"

// running is a JACK server on this machine, as its socket in /dev/shm shows.
type running struct {
	name   string
	path   string
	owner  string // user's name, or number
	mine   bool   // it lets this user's clients in by its name alone
	group  bool   // promiscuous: of no user, and who may write to the socket may join
	jack1  bool   // jackd1, which no client of jackd2's library can join
	denied bool   // this process may not write to the socket
}

// String is the server for a list.
func (r running) String() string { return fmt.Sprintf("%q of user %s", r.name, r.owner) }

var (
	ofUser  = regexp.MustCompile(`^/dev/shm/jack_(.+)_(\d+)_0$`)
	ofGroup = regexp.MustCompile(`^/dev/shm/jack_(.+)_0$`)
	ofJack1 = regexp.MustCompile(`^/dev/shm/jack-(\d+)/(.+)/jack_0$`)
)

// surroundings are what is asked why a server cannot be reached.
type surroundings struct {
	sockets func() string // the text of /proc/net/unix
	uid     int
	group   string // of JACK_PROMISCUOUS_SERVER
	owner   func(path string) (uid int, err error)
	name    func(uid int) string
	access  func(path string) error
}

func here() surroundings {
	return surroundings{
		sockets: func() string { text, _ := os.ReadFile("/proc/net/unix"); return string(text) },
		uid:     os.Getuid(), group: os.Getenv(promiscuous),
		owner: func(path string) (int, error) {
			info, err := os.Stat(path)
			if err != nil {
				return 0, err
			}
			stat, ok := info.Sys().(*syscall.Stat_t)
			if !ok {
				return 0, fs.ErrInvalid
			}
			return int(stat.Uid), nil
		},
		name: func(uid int) string {
			if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
				return u.Username
			}
			return strconv.Itoa(uid)
		},
		// connect(2) needs the right to write to the socket, and to search its path.
		access: func(path string) error { return unix.Access(path, unix.W_OK) },
	}
}

// servers lists the JACK servers that listen, without troubling them.
func (s surroundings) servers() []running {
	var all []running
	for line := range strings.Lines(s.sockets()) {
		fields := strings.Fields(line) // number, references, protocol, flags, type, state, inode, path
		if len(fields) < 8 || fields[3] != "00010000" {
			continue // __SO_ACCEPTCON: it listens
		}
		r, ok := s.server(strings.Join(fields[7:], " "))
		if ok && !slices.ContainsFunc(all, func(known running) bool { return known.path == r.path }) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b running) int { return strings.Compare(a.path, b.path) })
	return all
}

func (s surroundings) server(socket string) (running, bool) {
	r := running{path: socket, denied: errors.Is(s.access(socket), fs.ErrPermission)}
	uid := -1
	if m := ofUser.FindStringSubmatch(socket); m != nil {
		r.name = m[1]
		uid, _ = strconv.Atoi(m[2])
		r.mine = uid == s.uid
	} else if m := ofJack1.FindStringSubmatch(socket); m != nil {
		uid, _ = strconv.Atoi(m[1])
		r.name, r.jack1 = m[2], true
	} else if m := ofGroup.FindStringSubmatch(socket); m != nil {
		r.name, r.group = m[1], true
		if owner, err := s.owner(socket); err == nil {
			uid = owner
		}
	} else {
		return r, false
	}
	if r.owner = "unknown"; uid >= 0 {
		r.owner = s.name(uid)
	}
	return r, true
}

// absentError says why a server cannot be reached, in other words than that it is not
// running.
type absentError struct{ text string }

func (e absentError) Error() string        { return e.text }
func (e absentError) Is(target error) bool { return target == audio.ErrServerAbsent }

// whyAbsent is the error about a server that libjack does not find. said is what
// libjack said of it.
func (s surroundings) whyAbsent(name, said string) error {
	servers := s.servers()
	named := func(fits func(running) bool) *running {
		if i := slices.IndexFunc(servers, func(r running) bool { return r.name == socketName(name) && fits(r) }); i >= 0 {
			return &servers[i]
		}
		return nil
	}
	failed := func(format string, args ...any) error {
		return absentError{fmt.Sprintf("JACK server %q ", name) + fmt.Sprintf(format, args...)}
	}
	usable := named(func(r running) bool { return !r.jack1 && (s.group == "" && r.mine || s.group != "" && r.group) })
	if usable != nil && usable.denied {
		return failed("of user %s: permission denied for %s: this user must be in the group that jackd was given by %s", usable.owner, usable.path, promiscuous)
	}
	if usable != nil {
		return failed("of user %s runs and cannot be joined: %s", usable.owner, said)
	}
	if r := named(func(r running) bool { return r.group }); r != nil {
		return failed("of user %s was started with %s, and this program was not: give it the same", r.owner, promiscuous)
	}
	if r := named(func(r running) bool { return r.mine }); r != nil {
		return failed("runs without %s, and this program has it (%q): take it away here or give it to jackd, too", promiscuous, s.group)
	}
	if r := named(func(r running) bool { return !r.jack1 }); r != nil {
		return failed("runs as another user, %s, and lets in no client of user %s: run the bridge as %s, or start both with %s=GROUP, a group they are both in",
			r.owner, s.name(s.uid), r.owner, promiscuous)
	}
	if r := named(func(running) bool { return true }); r != nil {
		return failed("of user %s is jackd1, which clients of jackd2's library cannot join: start jackd2", r.owner)
	}
	if len(servers) > 0 {
		var list []string
		for _, r := range servers[:min(len(servers), 4)] {
			list = append(list, r.String())
		}
		return failed("is not running; running here: %s (--jack-server NAME)", strings.Join(list, ", "))
	}
	return fmt.Errorf("JACK server %q: %w", name, audio.ErrServerAbsent)
}

// foreign says whose a server is that refused a client, where that may be why: " (...)".
func (s surroundings) foreign(name string) string {
	for _, r := range s.servers() {
		if r.name == socketName(name) && r.group && r.owner != s.name(s.uid) {
			return fmt.Sprintf(" (it is another user's, %s: both must be in the group %s, by %s)", r.owner, s.group, promiscuous)
		}
	}
	return ""
}

// socketName is the server's name in the name of its socket.
func socketName(server string) string { return strings.ReplaceAll(server, "/", "_") }

package pipewire

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"archibald-bridge/bridge/audio"
)

// absentError is that no server is there; another one is that there is no way in.
type absentError string

func (e absentError) Error() string        { return string(e) }
func (e absentError) Is(target error) bool { return target == audio.ErrServerAbsent }

// absent says why there is no connection; every reason may pass by itself.
// libpipewire's own word on it is mostly that the host is down.
func absent(errno syscall.Errno) error {
	path := socketPath()
	if errno == syscall.ETIMEDOUT {
		return absentError(fmt.Sprintf("PipeWire at %s: no answer within 2 s", path))
	}
	connection, err := net.Dial("unix", path)
	if err == nil { // it has come meanwhile, or does not want us
		connection.Close()
		return fmt.Errorf("PipeWire at %s: %w", path, errno)
	}
	where := fmt.Sprintf("PipeWire at %s: ", path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return errors.New(where + "permission denied" + closedTo(path) + asThatUser)
	case errors.Is(err, syscall.ECONNREFUSED):
		return absentError(where + "nobody listens there any more: PipeWire does not run")
	case !errors.Is(err, fs.ErrNotExist):
		return errors.New(where + errors.Unwrap(err).Error())
	case os.Getenv("XDG_RUNTIME_DIR") == "" && os.Getenv("PIPEWIRE_RUNTIME_DIR") == "" && !filepath.IsAbs(os.Getenv("PIPEWIRE_REMOTE")):
		return absentError(where + "no such socket, and XDG_RUNTIME_DIR is not set, which sudo and some services lose: it names the desktop's" + others() + asThatUser)
	}
	return absentError(where + "no such socket: PipeWire does not run for this user" + others())
}

const asThatUser = "; run this as the user of the desktop"

// closedTo names what may not be entered, and whose it is.
func closedTo(path string) string {
	for inner := path; ; inner = filepath.Dir(inner) {
		outer := filepath.Dir(inner)
		if info, err := os.Stat(inner); err == nil {
			return fmt.Sprintf(": %s belongs to %s", inner, owner(info))
		}
		if outer == inner {
			return ""
		}
	}
}

func owner(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "another user"
	}
	id := strconv.Itoa(int(stat.Uid))
	who := "user " + id
	if known, err := user.LookupId(id); err == nil {
		who = fmt.Sprintf("user %s (%s)", known.Username, id)
	}
	if int(stat.Uid) != os.Geteuid() {
		who = "another user, " + who
	}
	return who
}

// runtimeDirs is where the sockets of all users are that this one may see.
var runtimeDirs = "/run/user/*"

// others names the servers of other users.
func others() string {
	found, _ := filepath.Glob(filepath.Join(runtimeDirs, "pipewire-0"))
	var running []string
	for _, path := range found {
		if path == socketPath() {
			continue
		}
		if info, err := os.Stat(path); err == nil {
			running = append(running, fmt.Sprintf("%s of %s", path, owner(info)))
		}
	}
	if running == nil {
		return ""
	}
	return " (there is " + strings.Join(running, ", ") + ")"
}

// socketPath is where libpipewire looks for its server.
func socketPath() string {
	name := os.Getenv("PIPEWIRE_REMOTE")
	if name == "" {
		name = "pipewire-0"
	}
	if filepath.IsAbs(name) {
		return name
	}
	for _, variable := range []string{"PIPEWIRE_RUNTIME_DIR", "XDG_RUNTIME_DIR", "HOME", "USERPROFILE"} {
		if directory := os.Getenv(variable); directory != "" {
			return filepath.Join(directory, name)
		}
	}
	return name
}

package pipewire

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/audio"
)

// someoneElse is a user that owns nothing here.
const someoneElse = 65534

// asSomeoneElse runs the test as another user would: files are opened with the rights of
// that user (setfsuid(2)). Without root the user's own directories are closed instead.
func asSomeoneElse(t *testing.T, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		do()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with this
		if err := unix.Setfsuid(someoneElse); err != nil {
			t.Error(err)
			return
		}
		do()
	}()
	<-done
}

// listening is a socket that accepts, in a directory of its own.
func listening(t *testing.T, path string) {
	t.Helper()
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
}

func TestEachReasonForNotGettingInHasWordsOfItsOwn(t *testing.T) {
	for _, test := range []struct {
		what   string
		set    func(t *testing.T, directory string)
		other  bool // it is another user who tries
		absent bool
		want   []string
		not    []string
	}{
		{what: "no socket", absent: true, set: func(t *testing.T, dir string) { t.Setenv("XDG_RUNTIME_DIR", dir) },
			want: []string{"/pipewire-0: no such socket", "does not run for this user"}, not: []string{"XDG_RUNTIME_DIR"}},
		{what: "no directory", absent: true, set: func(t *testing.T, dir string) { t.Setenv("XDG_RUNTIME_DIR", dir+"/gone") },
			want: []string{"/gone/pipewire-0: no such socket"}},
		{what: "nobody accepts", absent: true, set: func(t *testing.T, dir string) {
			listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "pipewire-0")})
			if err != nil {
				t.Fatal(err)
			}
			listener.SetUnlinkOnClose(false)
			listener.Close()
			t.Setenv("XDG_RUNTIME_DIR", dir)
		}, want: []string{"nobody listens there any more"}},
		{what: "as with sudo", absent: true, set: func(t *testing.T, dir string) { t.Setenv("HOME", dir) },
			want: []string{"XDG_RUNTIME_DIR is not set", "as the user of the desktop"}},
		{what: "as with sudo, beside a desktop", absent: true, set: func(t *testing.T, dir string) {
			t.Setenv("HOME", dir)
			runtimeDirs = filepath.Join(dir, "run", "*")
			if err := os.MkdirAll(filepath.Join(dir, "run", "1000"), 0o755); err != nil {
				t.Fatal(err)
			}
			listening(t, filepath.Join(dir, "run", "1000", "pipewire-0"))
		}, want: []string{"XDG_RUNTIME_DIR is not set", "there is ", "/run/1000/pipewire-0 of user"}},
		{what: "a directory that may not be entered", other: true, set: func(t *testing.T, dir string) {
			mode := os.FileMode(0o700)
			if os.Geteuid() != 0 {
				mode = 0
			}
			inner := filepath.Join(dir, "1000")
			if err := os.Mkdir(inner, 0o700); err != nil {
				t.Fatal(err)
			}
			listening(t, filepath.Join(inner, "pipewire-0"))
			if err := os.Chmod(inner, mode); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.Chmod(inner, 0o700) })
			t.Setenv("XDG_RUNTIME_DIR", inner)
		}, want: []string{"permission denied", "1000 belongs to ", "user "}, not: []string{"not running", "nobody"}},
		{what: "a socket that may not be written", other: true, set: func(t *testing.T, dir string) {
			path := filepath.Join(dir, "pipewire-0")
			listening(t, path)
			if err := os.Chmod(path, 0o500); err != nil {
				t.Fatal(err)
			}
			t.Setenv("XDG_RUNTIME_DIR", dir)
		}, want: []string{"permission denied", "pipewire-0 belongs to "}, not: []string{"not running", "nobody"}},
		{what: "something else of that name", absent: true, set: func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "pipewire-0"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("XDG_RUNTIME_DIR", dir)
		}, want: []string{"nobody listens there"}},
	} {
		t.Run(test.what, func(t *testing.T) {
			for _, variable := range []string{"XDG_RUNTIME_DIR", "PIPEWIRE_RUNTIME_DIR", "PIPEWIRE_REMOTE"} {
				t.Setenv(variable, "")
				os.Unsetenv(variable)
			}
			dir, err := os.MkdirTemp("", "absent") // that others may enter
			if err == nil {
				err = os.Chmod(dir, 0o755)
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(dir) })
			before := runtimeDirs
			runtimeDirs = filepath.Join(dir, "nobody", "*")
			t.Cleanup(func() { runtimeDirs = before })
			test.set(t, dir)
			b := newBridge(t, audio.Options{})
			open := func() { _, err = b.Open(stereo("")) }
			if test.other {
				asSomeoneElse(t, open)
			} else {
				open()
			}
			if err == nil || errors.Is(err, audio.ErrServerAbsent) != test.absent {
				t.Fatalf("%v; absent: %v", err, test.absent)
			}
			text := err.Error()
			for _, part := range test.want {
				if !strings.Contains(text, part) {
					t.Errorf("%q does not say %q", text, part)
				}
			}
			for _, part := range test.not {
				if strings.Contains(text, part) {
					t.Errorf("%q says %q", text, part)
				}
			}
			if strings.Contains(text, "\n") {
				t.Errorf("more than a line: %q", text)
			}
		})
	}
}

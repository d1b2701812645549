package config

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"archibald-bridge/proto"
)

// secretFile writes a file and returns its path.
func secretFile(t *testing.T, directory, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(directory, "bridge.secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func loadSecret(path string) (Config, error) {
	return Source{Flags: Config{SecretFile: path}, Set: []string{"secret-file"}}.Load(proto.Guest)
}

func TestSecretOfTheFileIsRead(t *testing.T) {
	text := NewSecret()
	for _, written := range []string{text, strings.TrimSpace(text), "\n " + text + "\r\n"} {
		c, err := loadSecret(secretFile(t, t.TempDir(), written, 0o600))
		if err != nil || len(c.Secret) != secretBytes {
			t.Errorf("%q: %d bytes, %v", written, len(c.Secret), err)
		}
	}
	if NewSecret() == text {
		t.Error("two secrets are the same")
	}
}

func TestSecretThatCannotBeUsedIsRefusedInOneLineWithoutIt(t *testing.T) {
	good := NewSecret()
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"readable by the group":  {good, 0o640, "chmod 600"},
		"readable by all":        {good, 0o604, "chmod 600"},
		"writable by the group":  {good, 0o620, "chmod 600"},
		"nothing":                {"", 0o600, "something else"},
		"a password":             {"hunter2", 0o600, "something else"},
		"too short":              {"c2VjcmV0\n", 0o600, "something else"},
		"two secrets":            {good + NewSecret(), 0o600, "something else"},
		"one that was cut short": {good[:40], 0o600, "something else"},
	} {
		path := secretFile(t, t.TempDir(), c.text, c.mode)
		_, err := loadSecret(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		} else if c.text != "" && strings.Contains(err.Error(), strings.TrimSpace(c.text)) {
			t.Errorf("%s: the error tells the secret: %v", name, err)
		}
	}
	pipe := filepath.Join(t.TempDir(), "pipe") // that nobody writes to
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	loop := filepath.Join(t.TempDir(), "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/nowhere/bridge.secret", t.TempDir(), pipe, loop, "/dev/null", "/dev/zero"} {
		if _, err := loadSecret(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestCredentialOfAServiceNeedsNoNarrowPermissions(t *testing.T) {
	directory := t.TempDir()
	path := secretFile(t, directory, NewSecret(), 0o440)
	if _, err := loadSecret(path); err == nil {
		t.Error("a file that the group can read is taken")
	}
	t.Setenv("CREDENTIALS_DIRECTORY", directory)
	if _, err := loadSecret(path); err != nil {
		t.Error(err)
	}
}

package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// secretBytes is the length of a secret: that of the output of SHA-256, beyond which a
// key of HMAC gains nothing (RFC 2104, section 3).
const secretBytes = 32

// NewSecret returns the text of a new secret, one line.
func NewSecret() string {
	var b [secretBytes]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.StdEncoding.EncodeToString(b[:]) + "\n"
}

// readSecret reads the file of SecretFile. Its errors say what is wrong with it, without
// anything from its content.
func readSecret(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would be waited for
	if err != nil {
		return nil, errors.Unwrap(err) // the path is named anyway
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, errors.Unwrap(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no file")
	case info.Mode().Perm()&0o077 != 0 && !credential(path):
		return nil, fmt.Errorf("others than its owner may read or write it: chmod 600 %s", path)
	}
	text := make([]byte, 256)
	n, _ := file.Read(text)
	secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text[:n])))
	if err != nil || len(secret) != secretBytes {
		return nil, errors.New("it holds something else")
	}
	return secret, nil
}

// credential says that systemd keeps the file for this service: in a directory that
// nobody else can enter, with permissions that look wider than they are
// (systemd.exec(5), LoadCredential=).
func credential(path string) bool {
	directory := os.Getenv("CREDENTIALS_DIRECTORY")
	return directory != "" && filepath.Dir(filepath.Clean(path)) == filepath.Clean(directory)
}

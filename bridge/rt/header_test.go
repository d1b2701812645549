package rt

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"
)

func TestHeaderHashIsThatOfTheHeader(t *testing.T) {
	header, err := os.ReadFile("archibald_rt.h")
	check(t, err)
	sum := sha256.Sum256(header)
	if got := hex.EncodeToString(sum[:]); got != HeaderHash {
		t.Errorf("archibald_rt.h has changed; put this into header.go:\nconst HeaderHash = %q", got)
	}
}

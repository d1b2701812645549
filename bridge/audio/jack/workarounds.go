package jack

import (
	"os"
	"path"
	"strings"
	"time"
)

// What libjack2 does wrong and the bridge works around, as of 1.9.21 (Debian 12).
// A version that does it right needs none of this:
//   - it keeps the semaphore of a client that left (staleClient);
//   - it can lock up for good (hopelessAfter);
//   - it deletes clients that outlived their server when another is opened
//     (archibald_jack_cleanups in errors.c, audio.Control);
//   - it loses a wake-up when a thread-init callback is installed twice (notify.c installs
//     none).

// hopelessAfter is how long libjack may take before this process gives up and another
// one takes its place. It can lock up for good when clients come and go: closing one, it
// cancels a thread that may hold a lock.
const hopelessAfter = 30 * time.Second

// staleClient returns the name of the semaphore of a client that has left the
// server but that libjack still holds, or "".
//
// libjack2 keeps one semaphore for each number a client can have, and lets go of
// it when the server says that the client left. While the first client of a
// process is being opened it ignores that (JackLibClient::ClientNotifyImp, at
// kRemoveClient). The next client to get the number is then woken through the
// semaphore of the one before: it never runs a cycle, whether it is ours or another
// program's that our sound goes to, and holds the whole graph up. Only closing every
// client of the process helps.
func staleClient() string {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(maps)) {
		_, file, _ := strings.Cut(line, "/")
		file, gone := strings.CutSuffix(strings.TrimSpace(file), " (deleted)")
		if name := path.Base(file); gone && strings.Contains(name, "jack_sem.") {
			return name
		}
	}
	return ""
}

package jack

import (
	"os"
	"path"
	"strings"
)

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

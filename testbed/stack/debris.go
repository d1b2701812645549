package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const directoryPrefix = "archibald-stack-"

// sweepDebris removes what processes left that ended without closing their
// Stack, by a panic or a kill. Their servers died with them; their directories
// say whose they were and, by the logs in it, which servers ran.
func sweepDebris() {
	reclaimAbandoned()
	directories, _ := filepath.Glob(filepath.Join(os.TempDir(), directoryPrefix+"*"))
	for _, directory := range directories {
		var owner int
		if _, err := fmt.Sscanf(filepath.Base(directory), directoryPrefix+"%d-", &owner); err != nil {
			continue
		}
		if !isGone(owner) {
			continue
		}
		logs, _ := filepath.Glob(filepath.Join(directory, "log", "*.log"))
		for _, log := range logs {
			process := strings.TrimSuffix(filepath.Base(log), ".log")
			if name, ok := strings.CutPrefix(process, "jackd-"); ok {
				removeJackFiles(jackServerName(name, owner))
			}
			if port, ok := strings.CutPrefix(process, "scsynth-"); ok {
				removeScsynthFile(port)
			}
		}
		os.RemoveAll(directory)
	}
}

package rt

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"archibald-bridge/testbed/rtcheck"
)

// The build's flags and -fno-builtin: a compiler chooses which library calls it inlines.
// With -fno-builtin we see every call, with every compiler.
var cFlags = []string{"-D_GNU_SOURCE", "-std=gnu11", "-O2", "-fno-builtin"}

// On the audio threads. resample.c and predict.c have the set-up of their tables
// too, which only control calls.
var realTimeFiles = []string{"wire.c", "rings.c", "mediaclock.c", "resample.c", "predict.c",
	"jitter.c", "sound.c", "receiver.c", "sequence.c", "playout.c", "locked.c", "follow.c", "sender.c", "engine.c", "socket.c"}

var realTimeCalls = map[string]string{
	"memcpy":           "bounded copy",
	"memset":           "bounded fill",
	"memmove":          "sound and gain, to where a jump goes",
	"memcmp":           "compares two IPv6 addresses",
	"fabs":             "arithmetic",
	"fabsf":            "arithmetic",
	"floor":            "arithmetic",
	"llrint":           "arithmetic",
	"lrintf":           "arithmetic",
	"sin":              "resampler_init, run by control",
	"cos":              "predictor_init, run by control",
	"sqrt":             "resampler_init and predictor_init, run by control",
	"clock_gettime":    "vDSO, no system call: arrival stamps to CLOCK_MONOTONIC",
	"recvmmsg":         "MSG_DONTWAIT, at most 16 datagrams a call",
	"ppoll":            "the one wait, at most a quarter of a leader's period: archibald_socket_wait",
	"__errno_location": "where the thread has errno",
	"sendmmsg":         "MSG_DONTWAIT, at most 16 datagrams and their repeats a call",
}

// Not on an audio thread: it may map memory, and still needs no heap.
var controlFiles = []string{"lifetime.c", "ratefilter.c"}

var controlCalls = map[string]string{
	"mmap":                        "memory, pre-faulted",
	"munmap":                      "gives it back",
	"mlock":                       "keeps it resident",
	"cos":                         "fade curves, the rate filter's kernel",
	"sin":                         "the rate filter's kernel",
	"sqrt":                        "its design",
	"fabs":                        "its design",
	"memset":                      "its design",
	"memcpy":                      "block sizes",
	"archibald_wire_sample_bytes": "core, wire.c",
	"archibald_jitter_reset":      "core, jitter.c",
	"archibald_resampler_init":    "core, resample.c",
	"archibald_resampler_shape":   "core, ratefilter.c",
	"archibald_ratefilter_init":   "core, ratefilter.c",
	"archibald_predictor_init":    "core, predict.c",
}

func TestAudioThreadsCallOnlyWhatTheListAllows(t *testing.T) {
	rtcheck.Undefined(t, ".", realTimeFiles, cFlags, realTimeCalls)
}

// A leader's playout waits for its answer, in one place that is bounded; nothing else waits.
func TestOnlyTheSocketWaits(t *testing.T) {
	without := maps.Clone(realTimeCalls)
	delete(without, "ppoll")
	for _, file := range realTimeFiles {
		forbidden, _, err := rtcheck.Compare(t.TempDir(), ".", []string{file}, cFlags, without)
		check(t, err)
		if waits := slices.Contains(forbidden, "ppoll"); waits != (file == "socket.c") {
			t.Errorf("%s waits: %v", file, waits)
		}
	}
}

func TestControlCallsOnlyWhatTheListAllows(t *testing.T) {
	rtcheck.Undefined(t, ".", controlFiles, cFlags, controlCalls)
}

func TestEveryCFileIsUnderTheRule(t *testing.T) {
	files, err := filepath.Glob("*.c")
	check(t, err)
	listed := slices.Concat(realTimeFiles, controlFiles)
	slices.Sort(listed)
	if !slices.Equal(files, listed) {
		t.Errorf("C files %v, under the rule %v", files, listed)
	}
}

func TestSymbolsAreOursByName(t *testing.T) {
	rtcheck.Symbols(t, ".", "archibald_")
}

func TestPlantedSymbolsAreFound(t *testing.T) {
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "flags.go"), []byte("#cgo CFLAGS: -fvisibility=hidden\n"), 0o600))
	check(t, os.WriteFile(filepath.Join(dir, "planted.c"), []byte(`int lib;
static int unseen;
__attribute__((visibility("default"))) int archibald_seen(void) { return unseen + lib; }
`), 0o600))
	found, err := rtcheck.Offered(t.TempDir(), dir)
	check(t, err)
	if want := map[string]string{"lib": "HIDDEN", "archibald_seen": "DEFAULT"}; !maps.Equal(found, want) {
		t.Errorf("found %v, planted %v", found, want)
	}
}

func TestPlantedCallsAreFound(t *testing.T) {
	planted := []struct{ symbol, file, code string }{
		{"malloc", "jitter.c", "void *malloc(unsigned long);\nvoid *planted_malloc(unsigned long n) { return malloc(n); }"},
		{"free", "wire.c", "void free(void *);\nvoid planted_free(void *p) { free(p); }"},
		{"pthread_mutex_lock", "resample.c", "int pthread_mutex_lock(void *);\nint planted_lock(void *m) { return pthread_mutex_lock(m); }"},
		{"goCallback", "receiver.c", "extern void goCallback(int);\nvoid planted_go(int n) { goCallback(n); }"},
		{"crosscall2", "engine.c", "extern void crosscall2(void (*)(void *), void *, int);\nvoid planted_crosscall(void *p) { crosscall2(0, p, 8); }"},
		{"_cgo_export_planted", "socket.c", "extern void _cgo_export_planted(void);\nvoid planted_export(void) { _cgo_export_planted(); }"},
		{"printf", "mediaclock.c", "int printf(const char *, ...);\nvoid planted_printf(int n) { printf(\"%d\\n\", n); }"},
		{"usleep", "rings.c", "int usleep(unsigned);\nint planted_sleep(void) { return usleep(1); }"},
	}
	dir := t.TempDir()
	for _, pattern := range []string{"*.c", "*.h"} {
		names, err := filepath.Glob(pattern)
		check(t, err)
		for _, name := range names {
			source, err := os.ReadFile(name)
			check(t, err)
			for _, p := range planted {
				if name == p.file {
					source = append(source, p.code...)
				}
			}
			check(t, os.WriteFile(filepath.Join(dir, name), source, 0o600))
		}
	}
	forbidden, _, err := rtcheck.Compare(t.TempDir(), dir, realTimeFiles, cFlags, realTimeCalls)
	check(t, err)
	var want []string
	for _, p := range planted {
		want = append(want, p.symbol)
	}
	slices.Sort(want)
	if !slices.Equal(forbidden, want) {
		t.Errorf("found %v, planted %v", forbidden, want)
	}
}

func TestAnAllowanceThatNothingUsesIsFound(t *testing.T) {
	_, unused, err := rtcheck.Compare(t.TempDir(), ".", []string{"rings.c"}, cFlags,
		map[string]string{"memcpy": "bounded copy", "write": "none"})
	check(t, err)
	if !slices.Contains(unused, "write") {
		t.Errorf("unused: %v", unused)
	}
}

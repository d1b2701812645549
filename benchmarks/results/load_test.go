package results

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sample = "2030-01-02-peers.json"

func sampleText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", sample))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAFileIsReadWhole(t *testing.T) {
	files, err := Load("testdata")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 1 || files[0].Name != sample || len(files[0].Runs) != 1 {
		t.Fatalf("read %+v", files)
	}
	again, err := json.Marshal(files[0].File)
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := json.Unmarshal([]byte(sampleText(t)), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &got); err != nil {
		t.Fatal(err)
	}
	wantText, _ := json.Marshal(want)
	gotText, _ := json.Marshal(got)
	if string(wantText) != string(gotText) {
		t.Errorf("read and written again it is\n%s\nwant\n%s", gotText, wantText)
	}
}

func TestAnEmptyFolderIsNoError(t *testing.T) {
	files, err := Load(t.TempDir())
	if err != nil || len(files) != 0 {
		t.Errorf("%d files, %v", len(files), err)
	}
}

func TestTheCommittedResultsAreLegal(t *testing.T) {
	if _, err := Load("."); err != nil {
		t.Error(err)
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	for _, test := range []struct{ name, from, to, want string }{
		{"an unknown field", `"gaps": 3`, `"gapz": 3`, `unknown field "gapz"`},
		{"an unknown schema", `"schema": 1`, `"schema": 3`, "schema 3: legal are 1 and 2"},
		{"a date of another form", `"2030-01-02"`, `"2.1.2030"`, `date "2.1.2030": legal is YYYY-MM-DD`},
		{"no commit", `"abc1234"`, `""`, "commit is empty"},
		{"no processor", `"Test CPU"`, `""`, "machine: processor"},
		{"no witness of the machine", `"quiet"`, `"noisy"`, `timer_us has no "quiet"`},
		{"an unknown system", `"archibald-bridge", "servers"`, `"skype", "servers"`, `system "skype" is not known`},
		{"more sound than time", `"sound_share": 0.999`, `"sound_share": 1.3`, "sound_share 1.3: legal are 0 to 1"},
		{"more caused gaps than gaps", `"caused_gaps": 1`, `"caused_gaps": 4`, "caused_gaps 4: legal are 0 to 3"},
		{"no period", `"period_frames": 64`, `"period_frames": 0`, "period_frames 0: legal are 1 to 8192"},
		{"no length and no reason", `"seconds": 60`, `"seconds": 0`, "seconds is 0, and no error says why"},
		{"stalls that excuse caused gaps", `"gaps": 3`, `"stalls": {"count": 9, "gaps": 3, "time_share": 0.1}, "gaps": 3`, "stalls {Count:9 Gaps:3 TimeShare:0.1}: of 3 gaps, 1 of them caused"},
		{"a share beyond one", `"gaps": 3`, `"in_time_share": 1.1, "gaps": 3`, "in_time_share 1.1: legal are 0 to 1"},
		{"a kind of run that nobody knows", `"gaps": 3`, `"kind": "guess", "gaps": 3`, `kind "guess": legal are none and "calls"`},
		{"a host that follows free clocks", `"slaved": false`, `"slaved": false, "host_follows": true`, "host_follows without slaved"},
		{"an impossible round trip", `190.4`, `-190.4`, "round_trip_frames has -190.4"},
		{"a start of another form", `2030-01-02T03:04:05Z`, `yesterday`, `started "yesterday": legal is RFC 3339`},
		{"something behind it", "  ]\n}", "  ]\n} {}", "something follows the closing brace"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(sampleText(t), test.from, test.to, 1)
			if text == sampleText(t) {
				t.Fatalf("the sample has no %s", test.from)
			}
			_, err := Parse([]byte(text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestAWrongRunIsNamed(t *testing.T) {
	_, err := Parse([]byte(strings.Replace(sampleText(t), `"gaps": 3`, `"gaps": -3`, 1)))
	if want := `run 0 (archibald-bridge, "92frames", period 64, repeat 1): gaps -3`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestAFailedRunMayHaveNoLength(t *testing.T) {
	text := strings.Replace(sampleText(t), `"seconds": 60`, `"seconds": 0`, 1)
	if _, err := Parse([]byte(strings.Replace(text, `"error": ""`, `"error": "jackd did not start"`, 1))); err != nil {
		t.Error(err)
	}
}

func TestAFileIsCalledAfterItsDate(t *testing.T) {
	for _, name := range []string{"peers.json", "2031-01-02-peers.json", "2030-01-02-Peers.json", "2030-01-02.json"} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(sampleText(t)), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(folder); err == nil || !strings.Contains(err.Error(), "2030-01-02-NAME.json") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABrokenFileIsNamed(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, sample), []byte(sampleText(t)[:400]), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(folder); err == nil || !strings.HasPrefix(err.Error(), sample+": ") {
		t.Errorf("%v, want the file's name", err)
	}
}

func TestListsOfALockMustBelongTogether(t *testing.T) {
	good := `{"rate_hz":48000,"period_frames":64,"seed":1,"runs":[{"skew_ppm":500,"delay_frames":127,"seconds":[0,1],"delay_error_frames":[0,1],"ratio_ppm":[500,500]}]}`
	if locks, err := ParseLocks([]byte(good)); err != nil || len(locks.Runs) != 1 {
		t.Errorf("%+v, %v", locks, err)
	}
	for from, to := range map[string]string{"[500,500]": "[500]", `"seed"`: `"seeds"`, `{"rate_hz"`: `[{"rate_hz"`} {
		if _, err := ParseLocks([]byte(strings.Replace(good, from, to, 1))); err == nil {
			t.Errorf("%s instead of %s is no error", to, from)
		}
	}
}

func FuzzParse(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", sample))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			return
		}
		for _, set := range Merge([]Named{{sample, file}}) {
			for _, c := range Curves(Summarise(set.Runs)) {
				Above(c, c)
			}
		}
	})
}

package results

import (
	"strings"
	"testing"
)

const goodHours = `{"schema":1,"date":"2030-01-02","commit":"abc","machine":{"processor":"p"},"rate_hz":48000,"period_frames":64,"skew_ppm":100,
"seconds":10,"seed":1,"stalls":[{"at_seconds":3,"ms":7},{"at_seconds":9,"ms":2}],
"runs":[{"system":"netadapter","setting":"-l 0","commands":["x"],"seconds":[1,2],"round_trip_frames":[400,800],"error":""}]}`

func TestHoursAreReadStrictly(t *testing.T) {
	h, err := ParseHours([]byte(goodHours))
	if err != nil || len(h.Runs) != 1 || h.Ms(h.Runs[0].RoundTripFrames[0]) != 400.0/48 {
		t.Fatalf("%+v, %v", h, err)
	}
	for _, test := range []struct{ from, to, want string }{
		{`"schema":1`, `"schema":2`, "schema 2"},
		{`"commit":"abc"`, `"commit":""`, "commit is empty"},
		{`"rate_hz":48000`, `"rate_hz":0`, "rate_hz 0"},
		{`"seconds":[1,2]`, `"seconds":[1]`, "must be as many"},
		{`"seconds":[1,2]`, `"seconds":[2,2]`, "seconds that grow"},
		{`[400,800]`, `[400,-800]`, "legal are positive ones"},
		{`"at_seconds":9`, `"at_seconds":2`, "in order"},
		{`"at_seconds":9`, `"at_seconds":11`, "within the run"},
		{`"seed"`, `"seeds"`, "unknown field"},
	} {
		text := strings.Replace(goodHours, test.from, test.to, 1)
		if text == goodHours {
			t.Fatalf("no %s", test.from)
		}
		if _, err := ParseHours([]byte(text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.to, err, test.want)
		}
	}
}

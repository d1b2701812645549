package wav

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

func randomAudio(channels, frames int) Audio {
	random := rand.New(rand.NewPCG(1, 2))
	a := Audio{RateHz: 48000, Channels: make([][]float32, channels)}
	for c := range a.Channels {
		a.Channels[c] = make([]float32, frames)
		for i := range a.Channels[c] {
			a.Channels[c][i] = random.Float32()*2 - 1
		}
	}
	return a
}

func TestEachEncodingComesBackWithinHalfAStep(t *testing.T) {
	for encoding, step := range map[Encoding]float64{Int16: 1.0 / (1 << 15), Int24: 1.0 / (1 << 23), Float32: 0} {
		for _, channels := range []int{1, 2, 3} {
			want := randomAudio(channels, 1001)
			path := filepath.Join(t.TempDir(), "a.wav")
			if err := WriteFile(path, want, encoding); err != nil {
				t.Fatal(err)
			}
			got, err := ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got.RateHz != 48000 || len(got.Channels) != channels || got.Frames() != 1001 {
				t.Fatalf("encoding %d: got %d Hz, %d channels, %d frames", encoding, got.RateHz, len(got.Channels), got.Frames())
			}
			for c := range want.Channels {
				for i, sample := range want.Channels[c] {
					if diff := math.Abs(float64(sample - got.Channels[c][i])); diff > step/2 {
						t.Fatalf("encoding %d channel %d frame %d: off by %g", encoding, c, i, diff)
					}
				}
			}
		}
	}
}

func TestIntegersClipAtFullScaleAndFloatsDoNot(t *testing.T) {
	loud := Audio{RateHz: 8000, Channels: [][]float32{{1.5, -1.5, 1, -1}}}
	for encoding, want := range map[Encoding][]float32{
		Int16:   {32767.0 / 32768, -1, 32767.0 / 32768, -1},
		Int24:   {8388607.0 / 8388608, -1, 8388607.0 / 8388608, -1},
		Float32: {1.5, -1.5, 1, -1},
	} {
		var file bytes.Buffer
		if err := Write(&file, loud, encoding); err != nil {
			t.Fatal(err)
		}
		got, err := Parse(file.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if got.Channels[0][i] != want[i] {
				t.Errorf("encoding %d frame %d: %g, want %g", encoding, i, got.Channels[0][i], want[i])
			}
		}
	}
}

func TestGridOf24BitsIsBitExact(t *testing.T) {
	a := Audio{RateHz: 48000, Channels: [][]float32{make([]float32, 4096)}}
	random := rand.New(rand.NewPCG(3, 4))
	for i := range a.Channels[0] {
		a.Channels[0][i] = float32(random.IntN(1<<24)-1<<23) / (1 << 23)
	}
	var file bytes.Buffer
	if err := Write(&file, a, Int24); err != nil {
		t.Fatal(err)
	}
	got, err := Parse(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range a.Channels[0] {
		if got.Channels[0][i] != want {
			t.Fatalf("frame %d: %g, want %g", i, got.Channels[0][i], want)
		}
	}
}

func TestExtraChunksAndAKilledRecorder(t *testing.T) {
	var file bytes.Buffer
	if err := Write(&file, randomAudio(2, 100), Int16); err != nil {
		t.Fatal(err)
	}
	plain := file.Bytes()
	withList := append([]byte{}, plain[:12]...)
	withList = append(withList, "LIST\x03\x00\x00\x00abc\x00"...) // odd size, padded
	withList = append(withList, plain[12:]...)
	a, err := Parse(withList)
	if err != nil || a.Frames() != 100 {
		t.Errorf("with a LIST chunk: %d frames, %v", a.Frames(), err)
	}
	a, err = Parse(plain[:len(plain)-41]) // 10 frames and a byte are missing
	if err != nil || a.Frames() != 89 {
		t.Errorf("cut short: %d frames, %v; want 89", a.Frames(), err)
	}
}

func TestWrongInputIsAnErrorThatSaysWhy(t *testing.T) {
	for input, want := range map[string]string{
		"":                         "not a WAV file",
		"RIFF\x00\x00\x00\x00WAVE": "without a data chunk",
		"RIFF\x00\x00\x00\x00WAVEdata\x00\x00\x00\x00": "legal are",
	} {
		if _, err := Parse([]byte(input)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", input, err, want)
		}
	}
	if err := Write(&bytes.Buffer{}, Audio{}, 8); err == nil {
		t.Error("8 bits were accepted")
	}
	uneven := Audio{RateHz: 1, Channels: [][]float32{{0}, {0, 0}}}
	if err := Write(&bytes.Buffer{}, uneven, Int16); err == nil {
		t.Error("channels of unequal length were accepted")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestAFullDiskIsReported(t *testing.T) {
	if err := Write(fullDisk{}, randomAudio(2, 10), Float32); err == nil {
		t.Error("no error")
	}
}

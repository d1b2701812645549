package sc

import (
	"bytes"
	"reflect"
	"testing"
)

func TestMessagesComeBack(t *testing.T) {
	for _, want := range []Message{
		{"/status", nil},
		{"/a", []any{int32(-7), float32(1.5), float64(-2.25), "abc", "", "abcd", int32(9)}},
		{"/abc", []any{"x"}},
	} {
		packet := want.encode()
		if len(packet)%4 != 0 {
			t.Errorf("%v: %d bytes are no multiple of four", want, len(packet))
		}
		got, err := decode(packet)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v came back as %v, %v", want, got, err)
		}
	}
}

func TestABlobIsCountedAndPadded(t *testing.T) {
	got := Message{"/d", []any{[]byte{1, 2, 3, 4, 5}, int32(1)}}.encode()
	want := []byte("/d\x00\x00,bi\x00\x00\x00\x00\x05\x01\x02\x03\x04\x05\x00\x00\x00\x00\x00\x00\x01")
	if !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDamagedPacketsAreErrorsNotPanics(t *testing.T) {
	whole := Message{"/done", []any{"/d_recv", int32(4), float64(1), float32(2)}}.encode()
	for n := range len(whole) {
		m, err := decode(whole[:n])
		if err == nil && len(m.Args) == 4 {
			t.Errorf("%d of %d bytes gave %v", n, len(whole), m)
		}
	}
	for _, packet := range []string{"", "abc", "#bundle\x00", "/a\x00\x00,T\x00\x00"} {
		if _, err := decode([]byte(packet)); err == nil {
			t.Errorf("%q was read", packet)
		}
	}
}

func TestADefinitionFileIsWhatTheFormatSays(t *testing.T) {
	d := definition{
		name: "d", constants: []float32{1}, parameters: []parameter{{"p", 2}},
		units: []unit{{"Out", 2, 3, []input{{-1, 0}}, []int8{2}}},
	}
	want := []byte("SCgf\x00\x00\x00\x02\x00\x01\x01d" +
		"\x00\x00\x00\x01\x3f\x80\x00\x00" + // one constant, 1.0
		"\x00\x00\x00\x01\x40\x00\x00\x00" + // one parameter, 2.0
		"\x00\x00\x00\x01\x01p\x00\x00\x00\x00" + // its name and index
		"\x00\x00\x00\x01\x03Out\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x03" +
		"\xff\xff\xff\xff\x00\x00\x00\x00\x02" + // input, output rate
		"\x00\x00") // no variants
	if got := d.encode(); !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

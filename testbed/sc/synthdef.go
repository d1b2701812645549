package sc

import (
	"encoding/binary"
	"math"
)

// The synth definitions this package sends, by name. Buses are scsynth's: 0 is
// the first output channel, and the first input channel follows the last
// output channel.
const (
	// ToneDef is a sine of one channel: freq (Hz), amp (peak, 1.0 is full
	// scale), out (bus). A new freq does not break the phase.
	ToneDef = "archibald-tone"
	// ThruDef plays the bus in on the bus out, times gain.
	ThruDef = "archibald-thru"
	// BurdenDef is work that is not heard: burdenSines sines, each the phase of the next.
	BurdenDef = "archibald-burden"
)

const burdenSines = 200

// Calculation rates of the synth definition file format.
const (
	controlRate = 1
	audioRate   = 2
)

const multiply = 2 // BinaryOpUGen's special index

// input is where a unit takes a value from: an output of an earlier unit, or,
// with unit -1, a constant.
type input struct{ unit, output int32 }

type unit struct {
	class   string
	rate    int8
	special int16
	inputs  []input
	outputs []int8 // their rates
}

type parameter struct {
	name  string
	value float32
}

type definition struct {
	name       string
	constants  []float32
	parameters []parameter
	units      []unit
}

var toneDefinition = definition{
	name:       ToneDef,
	constants:  []float32{0},
	parameters: []parameter{{"freq", 440}, {"amp", 0}, {"out", 0}},
	units: []unit{
		{"Control", controlRate, 0, nil, []int8{controlRate, controlRate, controlRate}},
		{"SinOsc", audioRate, 0, []input{{0, 0}, {-1, 0}}, []int8{audioRate}},
		{"BinaryOpUGen", audioRate, multiply, []input{{1, 0}, {0, 1}}, []int8{audioRate}},
		{"Out", audioRate, 0, []input{{0, 2}, {2, 0}}, nil},
	},
}

var thruDefinition = definition{
	name:       ThruDef,
	parameters: []parameter{{"in", 0}, {"out", 0}, {"gain", 1}},
	units: []unit{
		{"Control", controlRate, 0, nil, []int8{controlRate, controlRate, controlRate}},
		{"In", audioRate, 0, []input{{0, 0}}, []int8{audioRate}},
		{"BinaryOpUGen", audioRate, multiply, []input{{1, 0}, {0, 2}}, []int8{audioRate}},
		{"Out", audioRate, 0, []input{{0, 1}, {2, 0}}, nil},
	},
}

func burdenDefinition() definition {
	d := definition{name: BurdenDef, constants: []float32{440}}
	d.units = append(d.units, unit{"SinOsc", audioRate, 0, []input{{-1, 0}, {-1, 0}}, []int8{audioRate}})
	for i := range int32(burdenSines - 1) {
		d.units = append(d.units, unit{"SinOsc", audioRate, 0, []input{{-1, 0}, {i, 0}}, []int8{audioRate}})
	}
	return d
}

// encode writes the definition as a file of SuperCollider's "Synth Definition
// File Format", version 2: big-endian, strings with one byte of length.
func (d definition) encode() []byte {
	b := []byte("SCgf")
	long := func(n int) { b = binary.BigEndian.AppendUint32(b, uint32(n)) }
	short := func(n int) { b = binary.BigEndian.AppendUint16(b, uint16(n)) }
	text := func(s string) { b = append(append(b, byte(len(s))), s...) }
	float := func(f float32) { b = binary.BigEndian.AppendUint32(b, math.Float32bits(f)) }

	long(2)  // version
	short(1) // definitions in this file
	text(d.name)
	long(len(d.constants))
	for _, c := range d.constants {
		float(c)
	}
	long(len(d.parameters))
	for _, p := range d.parameters {
		float(p.value)
	}
	long(len(d.parameters))
	for i, p := range d.parameters {
		text(p.name)
		long(i)
	}
	long(len(d.units))
	for _, u := range d.units {
		text(u.class)
		b = append(b, byte(u.rate))
		long(len(u.inputs))
		long(len(u.outputs))
		short(int(u.special))
		for _, in := range u.inputs {
			long(int(in.unit))
			long(int(in.output))
		}
		for _, rate := range u.outputs {
			b = append(b, byte(rate))
		}
	}
	short(0) // variants
	return b
}

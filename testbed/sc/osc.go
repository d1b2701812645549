package sc

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// Message is one OSC 1.0 message. Args are int32, float32, float64, string or
// []byte.
type Message struct {
	Address string
	Args    []any
}

// encode writes the message as OSC 1.0 says. An argument of another type is a
// programming error and panics.
func (m Message) encode() []byte {
	tags := []byte{','}
	var body []byte
	for _, arg := range m.Args {
		switch v := arg.(type) {
		case int32:
			tags = append(tags, 'i')
			body = binary.BigEndian.AppendUint32(body, uint32(v))
		case float32:
			tags = append(tags, 'f')
			body = binary.BigEndian.AppendUint32(body, math.Float32bits(v))
		case float64:
			tags = append(tags, 'd')
			body = binary.BigEndian.AppendUint64(body, math.Float64bits(v))
		case string:
			tags = append(tags, 's')
			body = appendString(body, v)
		case []byte:
			tags = append(tags, 'b')
			body = binary.BigEndian.AppendUint32(body, uint32(len(v)))
			body = pad(append(body, v...))
		default:
			panic(fmt.Sprintf("OSC argument of type %T", arg))
		}
	}
	packet := appendString(nil, m.Address)
	packet = appendString(packet, string(tags))
	return append(packet, body...)
}

func appendString(to []byte, s string) []byte {
	return pad(append(append(to, s...), 0))
}

func pad(b []byte) []byte {
	return append(b, make([]byte, -len(b)&3)...)
}

// decode reads one message. Bundles are not read: scsynth's replies are none.
func decode(packet []byte) (Message, error) {
	address, rest, ok := cutString(packet)
	if !ok || !strings.HasPrefix(address, "/") {
		return Message{}, fmt.Errorf("OSC packet of %d bytes without an address", len(packet))
	}
	m := Message{Address: address}
	tags, rest, _ := cutString(rest)
	for _, tag := range strings.TrimPrefix(tags, ",") {
		size := map[rune]int{'i': 4, 'f': 4, 'd': 8}[tag]
		if len(rest) < size {
			return Message{}, fmt.Errorf("OSC message %s is cut short", address)
		}
		switch tag {
		case 'i':
			m.Args = append(m.Args, int32(binary.BigEndian.Uint32(rest)))
		case 'f':
			m.Args = append(m.Args, math.Float32frombits(binary.BigEndian.Uint32(rest)))
		case 'd':
			m.Args = append(m.Args, math.Float64frombits(binary.BigEndian.Uint64(rest)))
		case 's':
			var s string
			if s, rest, ok = cutString(rest); !ok {
				return Message{}, fmt.Errorf("OSC message %s is cut short", address)
			}
			m.Args = append(m.Args, s)
		default:
			return Message{}, fmt.Errorf("OSC message %s: type %q not known", address, tag)
		}
		rest = rest[size:]
	}
	return m, nil
}

// cutString takes a zero-terminated string, padded to four bytes, off b.
func cutString(b []byte) (s string, rest []byte, ok bool) {
	for i, c := range b {
		if c == 0 {
			return string(b[:i]), b[min(len(b), i+4-i&3):], true
		}
	}
	return "", nil, false
}

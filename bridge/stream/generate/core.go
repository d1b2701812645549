package main

import (
	"bytes"
	"fmt"
	"go/format"
)

const notice = "Code generated from bridge/stream/counters.go by go generate; DO NOT EDIT."

// coreFields lists the counters of the core for its structs and for copying them.
func coreFields(send, receive []counter) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "/* %s */\n#ifndef ARCHIBALD_COUNTERS_GENERATED_H\n#define ARCHIBALD_COUNTERS_GENERATED_H\n", notice)
	list := func(name string, counters []counter) {
		fmt.Fprintf(&b, "\n#define %s(X)", name)
		for _, c := range counters {
			if c.C != "" {
				fmt.Fprintf(&b, " \\\n    X(%s)", c.C)
			}
		}
		b.WriteString("\n")
	}
	list("SEND_COUNTERS", send)
	list("RECEIVE_COUNTERS", receive)
	b.WriteString("\n#endif\n")
	return b.Bytes()
}

// coreCopies takes the counters from the plain copies that the core makes of them.
func coreCopies(send, receive []counter) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "// %s\n\npackage rt\n\n// #include \"counters.h\"\nimport \"C\"\n\nimport \"archibald-bridge/bridge/stream\"\n", notice)
	list := func(function, from, to string, counters []counter) {
		fmt.Fprintf(&b, "\nfunc %s(from *C.%s, to *stream.%s) {\n", function, from, to)
		for _, c := range counters {
			if c.C != "" {
				fmt.Fprintf(&b, "to.%s = uint64(from.%s)\n", c.Go, c.C)
			}
		}
		b.WriteString("}\n")
	}
	list("takeSent", "sent_copy", "SendCounters", send)
	list("takeReceived", "received_copy", "ReceiveCounters", receive)
	return formatted(&b)
}

// formatted is what gofmt makes of a program; of one that is wrong, the program.
func formatted(b *bytes.Buffer) []byte {
	if text, err := format.Source(b.Bytes()); err == nil {
		return text
	}
	return b.Bytes()
}

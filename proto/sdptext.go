package proto

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// We read only the part of SDP's grammar that every writer keeps to: lines of a letter, "="
// and a value, where each m= line begins a section. We do not check which lines there are
// and in which order, and we skip lines of another form: see docs/decisions/0014.

const byteOrderMark = "\ufeff" // which some editors write before UTF-8

// sdpLine is one line "x=value", or "a=key:value".
type sdpLine struct {
	number int // as an editor counts, from 1
	letter byte
	key    string // of an attribute, in lower case
	value  string // without blanks around it
}

// sdpSection is what stands before the first m= line, or behind one and before the next.
type sdpSection struct {
	media sdpLine // the m= line; the zero value: none
	lines []sdpLine
}

// readLines splits a text into its sections; the first is the session's. any says
// whether there was a line of SDP at all.
func readLines(text string) (session sdpSection, media []sdpSection, any bool) {
	text = strings.TrimPrefix(text, byteOrderMark)
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	into, number := &session, 0
	for content := range strings.SplitSeq(text, "\n") {
		number++
		line, ok := readLine(content)
		if !ok {
			continue
		}
		any = true
		line.number = number
		switch line.letter {
		case 'm':
			media = append(media, sdpSection{media: line})
			into = &media[len(media)-1]
		case 'o', 's': // no section has these: they are the session's wherever they stand
			session.lines = append(session.lines, line)
		default:
			into.lines = append(into.lines, line)
		}
	}
	return session, media, any
}

func readLine(content string) (line sdpLine, ok bool) {
	letter, value, found := strings.Cut(content, "=")
	letter = trim(letter)
	if !found || len(letter) != 1 || !unicode.IsLetter(rune(letter[0])) {
		return line, false
	}
	line.letter, line.value = strings.ToLower(letter)[0], trim(value)
	if line.letter == 'a' {
		key, value, _ := strings.Cut(line.value, ":")
		line.key, line.value = strings.ToLower(trim(key)), trim(value)
	}
	return line, true
}

// trim takes away blanks of all kinds, and the zero bytes that C leaves behind.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r == 0 || unicode.IsSpace(r) })
}

// first is the first line of a letter; the zero value: none.
func (s sdpSection) first(letter byte) sdpLine {
	for _, line := range s.lines {
		if line.letter == letter {
			return line
		}
	}
	return sdpLine{}
}

// sdpScope is where what is said of a stream may stand: in its section, or else before
// the first one (RFC 8866, section 5.13).
type sdpScope struct{ media, session sdpSection }

// all are the lines, those of the section first.
func (s sdpScope) all() iter.Seq[sdpLine] {
	return func(yield func(sdpLine) bool) {
		for _, section := range []sdpSection{s.media, s.session} {
			for _, line := range section.lines {
				if !yield(line) {
					return
				}
			}
		}
	}
}

// attributes are the attributes of any of the keys.
func (s sdpScope) attributes(keys ...string) iter.Seq[sdpLine] {
	return func(yield func(sdpLine) bool) {
		for line := range s.all() {
			for _, key := range keys {
				if line.letter == 'a' && line.key == key && !yield(line) {
					return
				}
			}
		}
	}
}

// attribute is the first attribute of any of the keys.
func (s sdpScope) attribute(keys ...string) (line sdpLine, found bool) {
	for line := range s.attributes(keys...) {
		return line, true
	}
	return sdpLine{}, false
}

// SessionIdentity is the name of the session that a text describes, and its origin: who
// made it and where, without the version, which counts the changes (RFC 8866, section
// 5.2). Both are also of a text that ParseDescription refuses; "" is not said.
func SessionIdentity(text []byte) (name, origin string) {
	session, _, _ := readLines(string(text))
	origin, _ = splitOrigin(session.first('o').value)
	return SessionName(session.first('s').value), origin
}

// SessionName is a session's name as it is compared and shown: printable, at most 64
// bytes, "" for "-". What is not UTF-8 is taken for Latin-1, which older devices write.
func SessionName(text string) string {
	if !utf8.ValidString(text) {
		runes := make([]rune, len(text))
		for i := range len(text) {
			runes[i] = rune(text[i])
		}
		text = string(runes)
	}
	return cleanName(text, maxNameBytes)
}

// splitOrigin takes the sess-version out of the value of an o= line. It stands before
// the network's type, whatever stands before it: names with blanks, and none, are in
// use. 0: none can be read.
func splitOrigin(value string) (rest string, version uint64) {
	fields := strings.Fields(value)
	for i, field := range fields {
		if i == 0 || !strings.EqualFold(field, "IN") {
			continue
		}
		if version, err := strconv.ParseUint(fields[i-1], 10, 64); err == nil {
			return strings.Join(slices.Delete(fields, i-1, i), " "), version
		}
	}
	return strings.Join(fields, " "), 0
}

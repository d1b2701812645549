package proto

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// example is SDP that a document shows, by its first line.
type example struct {
	file string
	line int
	text string // with the line ends of the wire
}

func (e example) ours() bool { return strings.Contains(e.text, "a=x-archibald-") }

// whole tells a description from a part of one.
func (e example) whole() bool { return strings.HasPrefix(e.text, "v=") }

// examples finds the indented blocks of SDP in the documents.
func examples(t *testing.T) (all []example) {
	t.Helper()
	files := []string{"../README.md"}
	err := filepath.WalkDir("../docs", func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		number := 0
		var open *example
		for line := range strings.Lines(string(text)) {
			number++
			content := strings.TrimSpace(line)
			indented := strings.HasPrefix(line, "    ") && len(content) > 1 && content[1] == '='
			switch {
			case !indented:
				open = nil
			case open == nil && (strings.HasPrefix(content, "v=0") || strings.HasPrefix(content, "m=audio")):
				all = append(all, example{file, number, content + "\r\n"})
				open = &all[len(all)-1]
			case open != nil:
				open.text += content + "\r\n"
			}
		}
	}
	return all
}

func TestTheDescriptionsInTheDocumentsAreReadAndWrittenSo(t *testing.T) {
	whole, parts := 0, 0
	for _, e := range examples(t) {
		d, err := ParseDescription([]byte(e.text))
		if err != nil {
			t.Errorf("%s:%d: %v", e.file, e.line, err)
			continue
		}
		written := string(d.Marshal())
		switch {
		case e.ours() && written != e.text:
			t.Errorf("%s:%d: we write\n%s", e.file, e.line, written)
		case e.whole():
			whole++
		default:
			parts++
			for line := range strings.Lines(e.text) {
				if !strings.Contains(written, line) {
					t.Errorf("%s:%d: we do not write %q", e.file, e.line, line)
				}
			}
		}
	}
	if whole < 4 || parts < 1 {
		t.Errorf("%d descriptions and %d parts found", whole, parts)
	}
}

func TestTheStreamInTheDocumentsIsAsWeWriteIt(t *testing.T) {
	d := stream()
	d.Name, d.Revision = "archibald-guest", 1795516800
	for _, e := range examples(t) {
		if e.text == string(d.Marshal()) {
			return
		}
	}
	t.Errorf("no document shows\n%s", d.Marshal())
}

func TestTheOffersInTheDocumentsGetTheAnswersThere(t *testing.T) {
	var offers, answers []example
	for _, e := range examples(t) {
		if strings.Contains(e.text, "role:guest") {
			offers = append(offers, e)
		}
		if strings.Contains(e.text, "role:host") {
			answers = append(answers, e)
		}
	}
	if len(offers) != len(answers) || len(offers) < 2 {
		t.Fatalf("%d offers and %d answers", len(offers), len(answers))
	}
	for i, offer := range offers {
		answer := answers[i]
		local := mustParse(t, []byte(answer.text))
		local.Payloads = Payloads(Encodings...)
		local.Redundancy = Redundancy{}
		d, _, err := Answer(mustParse(t, []byte(offer.text)), local)
		if err != nil {
			t.Fatalf("%s:%d: %v", offer.file, offer.line, err)
		}
		if got := string(d.Marshal()); got != answer.text {
			t.Errorf("%s:%d: the answer is\n%s", answer.file, answer.line, got)
		}
		if agreed, err := Accept(mustParse(t, []byte(offer.text)), d); err != nil || !reflect.DeepEqual(agreed.Send, agreed.Receive) || agreed.Send != (Format{F32, 48000, 2}) {
			t.Errorf("%+v, %v", agreed, err)
		}
	}
}

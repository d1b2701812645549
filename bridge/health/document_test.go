package health

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Who reads a code in JSON or in a metric finds it explained.
func TestEveryCodeOfAProblemIsInTheDocument(t *testing.T) {
	source, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile("../../docs/status.md")
	if err != nil {
		t.Fatal(err)
	}
	_, problems, _ := strings.Cut(string(document), "## Problems")
	codes := regexp.MustCompile(`\t\w+ += "([a-z-]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(codes) < 15 {
		t.Fatalf("%d codes", len(codes))
	}
	for _, code := range codes {
		if !strings.Contains(problems, "`"+code[1]+"`") {
			t.Errorf("docs/status.md does not explain %q", code[1])
		}
	}
}

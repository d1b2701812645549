package stack

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
)

// Build compiles a program of this module, with the build tag that all need (decision
// 11) and further ones. It needs Go, and a working directory inside the module.
func Build(binary, program string, tags ...string) error {
	tags = append([]string{"nolibopusfile"}, tags...)
	out, err := exec.Command("go", "build", "-tags", strings.Join(tags, ","), "-o", binary, program).CombinedOutput()
	if err != nil {
		return fmt.Errorf("building %s: %w: %s", program, err, bytes.TrimSpace(out))
	}
	return nil
}

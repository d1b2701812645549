package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	only := flag.String("only", "", "a regular expression: only the guarantees that match it")
	flag.Usage = func() {
		_, _ = fmt.Fprintln(flag.CommandLine.Output(), "usage: mutants [-only REGEXP] [DIRECTORY]\nBreaks the guarantees of the project in DIRECTORY, the present one if not given.")
		flag.PrintDefaults()
	}
	flag.Parse()
	root := "."
	if flag.NArg() > 0 {
		root = flag.Arg(0)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	uncaught, err := run(ctx, root, *only, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	}
	if uncaught > 0 {
		fmt.Fprintf(os.Stderr, "mutants: %d guarantees can break unnoticed\n", uncaught)
		os.Exit(1)
	}
}

// run prints a row for each mutant, as Markdown, and returns how many nobody caught.
func run(ctx context.Context, root, only string, out io.Writer) (uncaught int, err error) {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return 0, err
	}
	tree, err := os.MkdirTemp("", "archibald-mutants-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(tree) }()
	if err := copyTree(root, tree); err != nil {
		return 0, err
	}
	chosen := slices.DeleteFunc(slices.Clone(mutants), func(m mutant) bool { return !wanted.MatchString(m.guarantee) })
	if err := sound(ctx, tree, chosen); err != nil {
		return 0, err
	}
	_, _ = fmt.Fprint(out, tableHead)
	defer func() { _, _ = fmt.Fprintln(out) }()
	for _, m := range chosen {
		begun := time.Now()
		by, err := m.try(ctx, tree)
		if ctx.Err() != nil {
			return uncaught, ctx.Err()
		}
		if err != nil {
			by = "**the mutant is wrong**"
			fmt.Fprintln(os.Stderr, err)
		} else if by == "" {
			by = "**nobody**"
		}
		if strings.HasPrefix(by, "**") {
			uncaught++
		}
		_, _ = fmt.Fprintf(out, "%s | %.0f |", m.row(by), time.Since(begun).Seconds())
	}
	return uncaught, nil
}

// sound says that all these tests pass on the tree as it is: one that fails anyway
// catches nothing.
func sound(ctx context.Context, tree string, chosen []mutant) error {
	tests := map[string][]string{}
	for _, m := range chosen {
		tests[m.in] = append(tests[m.in], m.tests)
	}
	for in, patterns := range tests {
		v, err := runTests(ctx, tree, in, strings.Join(patterns, "|"), deadline)
		if err != nil {
			return err
		}
		if !v.passed {
			return fmt.Errorf("%s fails in %s without a mutant, too:\n%s", v.by, in, tail([]byte(v.output)))
		}
	}
	return nil
}

// try returns which test caught the mutant; "": none did.
func (m mutant) try(ctx context.Context, tree string) (by string, err error) {
	restore, err := m.apply(tree)
	if err != nil {
		return "", err
	}
	v, err := runTests(ctx, tree, m.in, m.tests, deadline)
	if mended := restore(); err == nil {
		err = mended
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", m.guarantee, err)
	case v.passed:
		return "", nil
	}
	return fmt.Sprintf("`%s` in %s", v.by, m.in), nil
}

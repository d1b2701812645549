// Command mutants shows that the tests can fail. It breaks named guarantees of the
// project one at a time, each by one small edit in a copy of the tree, runs the
// tests that should notice, and prints which one did. It ends with 1 when nothing
// notices one of them.
package main

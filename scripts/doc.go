// Package scripts has no code: it holds the tests of the shell scripts beside
// it.
package scripts

// Package policy holds the project's rules as tests: which package may import
// which, where C may be, how long a file may be. It has no code of its own.
package policy

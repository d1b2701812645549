// Package policy holds the project's rules as tests: which package may import
// which, where C may be, what the documents may name. It has no code of its own.
package policy

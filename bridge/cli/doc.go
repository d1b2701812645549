// Package cli is the command line: it reads arguments and configuration file,
// sets up log and signals, runs one command and turns its error into one line
// on standard error and an exit code.
package cli

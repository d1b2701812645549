// Command report writes the measured figures into the documentation: the blocks
// between the markers in README.md and docs/latency.md, and docs/img/*.svg. All
// of it comes from the committed files in benchmarks/results and from
// benchmarks/driftlock/driftlock.json; what was not measured is said to be so. Its
// test fails when a committed figure differs from its data.
//
//	go run ./benchmarks/report
package main

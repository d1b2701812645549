// Command report writes the measured figures into the documentation: the blocks
// between the markers in README.md, docs/comparison.md and docs/measurements.md,
// and the plots docs/img/*.svg. Everything comes from the committed files in
// benchmarks/results and from benchmarks/driftlock/driftlock.json. Where nothing
// was measured, the text says so. The test of this package fails when a committed
// figure differs from its data.
//
//	go run ./benchmarks/report
package main

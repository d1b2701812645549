// Package plot draws the figures of docs/ as SVG: latency against gaps, the
// latency's distribution, latency over time, and a clock being locked to. The
// same input gives the same bytes, so that a test can hold a committed figure to
// its data.
package plot

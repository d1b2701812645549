// Package sim runs the real-time core and the clock servo on virtual time: two
// graphs with clocks of their own, and a network between them. It is the same
// code that runs live; only time and the network are made up. A run with the
// same seed gives the same result, and a day of positions takes seconds.
package sim

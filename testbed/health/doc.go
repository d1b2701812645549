// Package health tries on real machines, in network namespaces, what the status says
// when the network between two ends fails in ways that look healthy.
package health

package audio

// Names returns the names of the two nodes of a bridge, which users patch: the one
// that takes sound to the peer ("host" or "guest"), archibald-to-host, and the one that
// brings sound from it, archibald-from-host. Those of a bridge "lab" are
// archibald-lab-to-host and archibald-lab-from-host; bridge is "" for the only one.
func Names(bridge, peer string) (to, from string) {
	prefix := "archibald-"
	if bridge != "" {
		prefix += bridge + "-"
	}
	return prefix + "to-" + peer, prefix + "from-" + peer
}

package audio

// PolicyName is the name of a scheduling policy of Linux as chrt(1) has it; number is
// without SCHED_RESET_ON_FORK. What is neither of the two real-time policies counts as the
// ordinary one.
func PolicyName(number int) string {
	const fifo, roundRobin = 1, 2 // linux/sched.h
	switch number {
	case fifo:
		return "SCHED_FIFO"
	case roundRobin:
		return "SCHED_RR"
	}
	return "SCHED_OTHER"
}

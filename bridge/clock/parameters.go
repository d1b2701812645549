package clock

import "time"

// All parameters of clock recovery. Above each stand its meaning, its unit, and where its
// value comes from:
//
//	theory      it follows from a source that is named, or from another figure here
//	recording   it was chosen on recordings of real servers (docs/decisions/0013-lines.md)
//	simulation  the simulator's scenarios chose it (testbed/sim)
//	taste       what can be heard, or a judgement; a factor of two either way changes little
//
// docs/clock-recovery.md shows them as a table, which a test makes of this file.

// Clocks.
const (
	// The most that an audio clock is off against CLOCK_MONOTONIC; a slope is not believed to be more.
	// Unit: share. From: taste: 20 times what cheap crystals are specified with (100 ppm).
	maxDrift = 0.002

	// Drift up to which hypothesised steps are not questioned.
	// Unit: share. From: theory: half of maxDrift; a clock that is off by more is less likely than lateness that comes and goes.
	likelyDrift = maxDrift / 2
)

// Envelope: the skew estimate.
const (
	// Age of the oldest point of the envelope.
	// Unit: ns. From: recording: a slope is off by 0.3 ppm, with 30 s by 1.3 ppm; a longer window lags behind a drift that changes.
	windowNs = 60e9

	// Age of the oldest point that the envelope may touch.
	// Unit: ns. From: recording: longer than the times in which not even the earliest wake-up is punctual.
	supportNs = 18e9

	// Length of the edge with the nominal rate that counts as measured (a prior), and time in which no point counts as an outlier.
	// Unit: ns. From: simulation: clocks 500 ppm off are acquired within 2 s, and two points alone give no slope.
	acquisitionNs = 80e6

	// A point counts as early by at most this multiple of the mean absolute deviation.
	// Unit: factor. From: theory: of a normal distribution, 3.2 standard deviations (the deviation is 0.8 of one): one point in 1,400.
	outlierDeviations = 4.0

	// The mean absolute deviation is taken to be at least this for outlierDeviations.
	// Unit: ns. From: taste: a quarter of a frame; below it no outlier is worth limiting.
	leastDeviationNs = 5e3

	// The mean absolute deviation before the first point.
	// Unit: ns. From: taste: more than machines have, so that the first points are not cut.
	firstDeviationNs = 100e3

	// Time constant of the mean absolute deviation.
	// Unit: s. From: taste.
	deviationSeconds = 2.0
)

// Tracker: blocks, outliers, discontinuities.
const (
	// Length of a block, of which only the earliest point counts, as a share of the time observed.
	// Unit: share. From: taste: 16 blocks are known at any time, however young the envelope is.
	blockShare = 1.0 / 16

	// Longest block.
	// Unit: ns. From: recording: of 94 cycles at a period of 256 mostly one is punctual; 120 blocks a window are cheap.
	maxBlockNs = 500e6

	// A point with a larger residual is an outlier.
	// Unit: ns. From: taste: more than a busy machine is late, less than a clock that starts from elsewhere is off.
	outlierNs = 20e6

	// Outliers in a row that mean a reset of the clock.
	// Unit: points. From: taste: strays do not come in a row.
	resetOutliers = 5

	// Blocks behind a discontinuity in which an early point shifts the envelope.
	// Unit: blocks. From: simulation: 5 s; the machine that stalled is busy for some seconds more.
	settlingBlocks = 10
)

// Steps of a clock.
const (
	// Step: points in a row on one side of the envelope.
	// Unit: points. From: theory: with a punctual point among two, chance makes one step in 65,000 points.
	stepPoints = 16

	// Step: least time that they take.
	// Unit: ns. From: theory: a media clock counts lost time within 22 ms (bridge/rt/mediaclock.c); until then it is no step.
	stepForNs = 25e6

	// Step: least residual of each of them.
	// Unit: ns. From: recording: the lateness of a busy machine that lasts stays below.
	leastStepNs = 200e3

	// Step: least residual of each, as a multiple of the mean absolute deviation.
	// Unit: factor. From: simulation: on a network of much jitter, late points in a row are no step.
	stepDeviations = 2.0

	// Step: points that this deviation is averaged over.
	// Unit: points. From: taste.
	deviationPoints = 1000

	// Small step: blocks in a row whose earliest point is late.
	// Unit: blocks. From: taste: 2 s; longer, and the step is heard as a wrong latency.
	smallStepBlocks = 4

	// Small step: least residual of each of them.
	// Unit: ns. From: recording: a virtual machine with a busy host stays below 40 us for seconds.
	leastSmallStepNs = 50e3

	// Small step: least residual of each, as a multiple of the blocks' mean absolute deviation.
	// Unit: factor. From: simulation: on a path whose best packets of a second vary by 0.18 ms it finds none.
	smallStepDeviations = 3.0

	// After steps were retracted, a step must be this multiple of the largest of them.
	// Unit: factor. From: simulation: 300 senders that sleep like ffmpeg's -re (tests of sawtooth delays).
	retractedShare = 1.5
)

// Packet groups: what left in one period of the sender.
const (
	// The most that a packet can be behind the newest one and still be reordered or repeated; further behind, the sender was reset.
	// Unit: ns. From: taste: what a network reorders by more comes too late to be played.
	reorderedNs = 100e6

	// A packet further ahead of the newest one than this means a reset of the sender, too.
	// Unit: ns. From: taste.
	resetAheadNs = 1e9

	// A longer jump of the sequence number says nothing about missing packets.
	// Unit: packets. From: theory: MAX_DROPOUT of RFC 3550, appendix A.1.
	maxDropout = 3000

	// Packets of one size in a row after which missing ones are taken to be of that size.
	// Unit: packets. From: taste.
	sizePackets = 64

	// Packets closer together than this belong to one group.
	// Unit: share of the period. From: simulation: a group arrives within microseconds, the next a period later.
	groupGap = 0.25

	// A packet that comes this much after the first of its group was not sent with it: the sender's period is shorter now.
	// Unit: share of the period. From: simulation: groups that are torn on the way come closer together.
	pacedAfter = 0.5

	// Where no edge between groups was ever known, every group is believed after this time.
	// Unit: ns. From: taste: as long as acquisitionKnown, so that the first sound hardly waits for it.
	edgePatienceNs = 100e6

	// And after at least this many periods.
	// Unit: periods. From: taste.
	edgePatiencePeriods = 4

	// Where an edge was known once, every group is believed after this time without one.
	// Unit: ns. From: taste: what a good envelope knows lasts longer than what a wrong edge costs.
	knownEdgePatienceNs = 10e9

	// Votes that a learned period can have.
	// Unit: edges. From: taste: a new period is adopted after as many.
	maxVotes = 16

	// The longest period that is learned.
	// Unit: frames. From: theory: the longest period that the core plays (PipeWire's largest quantum).
	maxPeriod = 8192

	// Edges in a row that are a period apart, after which the period is trusted.
	// Unit: edges. From: simulation: losses do not make as many by chance.
	trustedEdges = 8

	// Groups in a row that are longer than a period, after which the period is not trusted.
	// Unit: groups. From: theory: one group can be, after the network stood still.
	outgrownGroups = 2

	// Edges in a row a period apart and at another place, after which periods begin there.
	// Unit: edges. From: theory: what tears a group apart hardly does it twice at one place.
	replaceEdges = 2
)

// Packet delay variation, and the jitter margin.
const (
	// Share of packets that may have more delay variation than the jitter margin.
	// Unit: share. From: taste: at a period of 64, one packet in two minutes.
	discardBudget = 1e-5

	// Share of packets that are the tail from which the margin is extrapolated.
	// Unit: share. From: theory: peaks over threshold (Pickands 1975); a high quantile with enough packets above it.
	tailShare = 1.0 / 50

	// Least packets in the tail.
	// Unit: packets. From: theory: the error of an exponential scale is 1/sqrt(n), 25 %.
	leastTail = 16

	// Largest share of the packets that leastTail may be.
	// Unit: share. From: taste: the tail of the first packets must not be all of them.
	leastTailShare = 1.0 / 4

	// Most packets in the tail.
	// Unit: packets. From: theory: 3 % error; more would take in what is no tail.
	mostTail = 1000

	// Packets after which those counted so far count half.
	// Unit: packets. From: taste: 12 minutes at a period of 32.
	pdvHalvedAt = 1 << 20

	// Packet groups that Status.PDVUs is of.
	// Unit: groups. From: taste: some seconds.
	recentGroups = 2048

	// Delay variation of more periods than this is a stall, which no buffer is meant to cover.
	// Unit: periods. From: taste.
	stallPeriods = 4

	// A stall is longer than this, too.
	// Unit: time. From: taste: what a person who waits for a latency of 2 ms would not want to have added.
	leastStall = 4 * time.Millisecond
)

// What a larger jitter margin is worth.
const (
	// An hour.
	// Unit: ns. From: theory: the unit of the budget of gaps.
	hourNs = 3600e9

	// Late packets within this time are one gap; what is late this close to lost time, before or after it, is no evidence.
	// Unit: time. From: theory: longer than a machine stalls, and than the 22 ms after which a media clock has counted lost time (bridge/rt/mediaclock.c).
	eventSpan = 100 * time.Millisecond

	// The same, where it is longer, at large periods.
	// Unit: periods. From: theory: a media clock looks at 8 cycles before it corrects what it took for lost (bridge/rt/mediaclock.c).
	eventPeriods = 8

	// Gaps are counted over the time in which the budget is this many.
	// Unit: gaps. From: simulation: ten minutes at 30 an hour; twice as many, and a network that becomes worse has twice the gaps before the margin is raised.
	judgedGaps = 5.0

	// Gaps exceed their budget when they are more than it by this multiple of its square root.
	// Unit: standard deviations. From: theory: of a Poisson count; a rate that is the budget exceeds it in 2 % of all windows.
	chance = 2.0

	// Fewer gaps than this never raise the margin, unless the budget is 0.
	// Unit: gaps. From: taste: one may be an accident, and two.
	leastGaps = 3

	// Most gaps that are kept.
	// Unit: gaps. From: theory: more than chance lets by at the largest budget, in the time that judgedGaps is.
	mostGaps = 64

	// What is learned in this time after the first sound is looked at once more.
	// Unit: time. From: taste: a machine that boots, or that starts programs, is done by then.
	firstMinute = time.Minute

	// Calm time after which that is done.
	// Unit: time. From: simulation: 1800 spans, of which the budget allows one; compiler runs every two minutes are in it.
	calmFor = 3 * time.Minute

	// Time since the last gap in which packets came and no server lost time.
	// Unit: time. From: taste: half of it; servers that lose time every second leave two thirds.
	calmSeen = calmFor / 2

	// Ratio change while playout is led to another margin.
	// Unit: share. From: taste: 0.09 cents, what the core glides by, too (GLIDE_PER_FRAME); a trained ear tells 5 cents.
	leadRate = 50e-6

	// Rest of the way to a larger margin that is not jumped when there is a gap anyway.
	// Unit: frames. From: taste: 2 s of leading.
	leastJump = 4.0
)

// Playout: acquisition, seeks, the phase loop.
const (
	// Time from the first packet to the first sound where the jitter is not known.
	// Unit: time. From: theory: 375 packet groups at a period of 64; the margin is then known to 25 %.
	acquisitionUnknown = 500 * time.Millisecond

	// The same where the jitter is known.
	// Unit: time. From: simulation: the envelopes are good to some frames by then.
	acquisitionKnown = 100 * time.Millisecond

	// A cycle shows a seek if its offset is the one decided, give or take this.
	// Unit: frames. From: theory: the ratio moves the position by less than a frame in the cycles that go by.
	seekTolerance = 2

	// A seek that no cycle has shown for this time is decided again.
	// Unit: time. From: taste: far more than the core needs; the ring may have lost the cycle.
	seekTimeout = time.Second

	// Time constant of the phase loop, in which it works off a phase error.
	// Unit: s. From: recording: shorter, and the loop follows what the envelopes wander.
	phaseTime = 4.0

	// Time constant of the phase loop as a share of the time since the first sound or a discontinuity, while that is shorter.
	// Unit: share. From: simulation: 16 s until the loop is as slow as it gets; a young phase is wrong by more.
	phaseTimeShare = 0.25

	// Least time constant of the phase loop.
	// Unit: s. From: simulation: after a discontinuity the phase is known by a few cycles only.
	leastPhaseTime = 1.0

	// Time constant over which the phase error is averaged.
	// Unit: s. From: taste: a fraction of leastPhaseTime, so that the loop stays stable.
	phaseAverage = 0.25

	// Largest ratio change for a phase error.
	// Unit: share. From: taste: 0.87 cents, less than the 5 cents that a trained ear tells apart.
	phaseLimit = 500e-6

	// Largest change of that at one decision (50 a second).
	// Unit: share. From: taste: 0.4 cents a second.
	phaseSlew = 5e-6

	// Phase error that is none.
	// Unit: frames. From: taste: 1 us.
	deadBand = 0.05

	// A phase error of more than this share of the target is cut by a seek.
	// Unit: share. From: theory: with less than half of its distance playout is about to run dry.
	reseekShare = 0.5

	// A phase error that is cut is more than this, too.
	// Unit: frames. From: taste: 2 ms.
	leastReseek = 96

	// A step of more than this share of the jitter margin is cut by a seek, not worked off.
	// Unit: share. From: taste: until it is worked off, the margin is smaller by as much.
	cutShare = 0.25
)

// Rate lock: clocks that are one.
const (
	// For this time after the first sound a lock is early, and the target gives up the look-ahead.
	// Unit: time. From: taste: a latency that is lowered later is not constant.
	earlyFor = 30 * time.Second

	// Drift within which clocks are locked early.
	// Unit: share. From: recording: slopes of some seconds are as far off on a busy virtual machine.
	earlyLockDrift = 2e-6

	// Time as a candidate before an early lock.
	// Unit: time. From: taste.
	earlyLockAfter = 4 * time.Second

	// Drift within which clocks are locked later.
	// Unit: share. From: recording: what envelopes of a minute are off by.
	lateLockDrift = 0.3e-6

	// Least time as a candidate before a later lock.
	// Unit: time. From: theory: two clocks that drift past each other at 1 ppm a minute are within lateLockDrift for 36 s.
	lateLockAfter = time.Minute

	// The time as a candidate doubles with each lock that proved wrong, up to this.
	// Unit: time. From: taste.
	mostPatience = time.Hour

	// Phase error within which clocks are locked.
	// Unit: frames. From: recording: what the phase moves on a busy virtual machine (0.97 frames), twice.
	lockMargin = 2.0

	// Phase error that locked clocks may have.
	// Unit: frames. From: recording: lockMargin and half as much again; with 1.5 there was a needless cut in a minute.
	wanderMargin = 3.0

	// Locked clocks that must be placed again more often than this drift by 1 ppm or more: they are two.
	// Unit: time. From: theory: 1 ppm is 2.9 frames a minute, which is wanderMargin.
	replaceInterval = time.Minute
)

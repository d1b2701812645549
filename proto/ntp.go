package proto

import "time"

// NTPTime is a time in the format of RTCP sender reports: seconds since 1900 in
// the upper 32 bits, their fraction in the lower 32 (RFC 3550, section 4).
type NTPTime uint64

const (
	ntpUnixOffset = 2208988800 // seconds from 1900 to 1970
	ntpEra1       = 1 << 32    // seconds from 1900 to the wrap of 2036
)

// NTPFrom converts a wall clock time. It is exact to a nanosecond.
func NTPFrom(t time.Time) NTPTime {
	seconds := uint64(t.Unix() + ntpUnixOffset)
	// Rounded up: Time cuts the fraction off and gets the nanosecond back.
	fraction := (uint64(t.Nanosecond())<<32 + 999_999_999) / 1_000_000_000
	return NTPTime(seconds<<32 | fraction)
}

// Time converts back. The format wraps in 2036; a time with the upper bit clear
// is taken to be after that (RFC 4330, section 3).
func (t NTPTime) Time() time.Time {
	seconds := int64(t >> 32)
	if seconds < 1<<31 {
		seconds += ntpEra1
	}
	nanoseconds := int64((uint64(t) & 0xffffffff) * 1_000_000_000 >> 32)
	return time.Unix(seconds-ntpUnixOffset, nanoseconds)
}

// Middle is the middle 32 bits, in 1/65536 s: what a receiver reports back as
// LastSR.
func (t NTPTime) Middle() uint32 { return uint32(t >> 16) }

// shortUnits converts a duration to units of 1/65536 s, within 32 bits.
func shortUnits(d time.Duration) uint32 {
	if d <= 0 {
		return 0
	}
	seconds := uint64(d / time.Second)
	if seconds >= 1<<16 {
		return 1<<32 - 1
	}
	return uint32(seconds<<16 + uint64(d%time.Second)<<16/uint64(time.Second))
}

// shortDuration converts units of 1/65536 s to a duration, rounded up to the
// nanosecond so that shortUnits gives the same units again.
func shortDuration(units uint32) time.Duration {
	return time.Duration((uint64(units)*uint64(time.Second) + 65535) >> 16)
}

package realtime

import (
	"context"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

const (
	kitName    = "org.freedesktop.RealtimeKit1" // also the name of its interface
	kitPath    = "/org/freedesktop/RealtimeKit1"
	kitTimeout = 5 * time.Second // the system bus may have to start it
)

// promoteByKit has RealtimeKit make a thread real-time. In return it demands a
// limit on the processor time that a real-time thread of this process uses
// without a pause: a thread that goes over it ends the process (setrlimit(2),
// RLIMIT_RTTIME).
func promoteByKit(thread, priority int) error {
	ctx, cancel := context.WithTimeout(context.Background(), kitTimeout)
	defer cancel()
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("no system bus: %w", err)
	}
	defer func() { _ = bus.Close() }()
	kit := bus.Object(kitName, kitPath)

	var most int32
	var longestUs int64
	if err := property(ctx, kit, "MaxRealtimePriority", &most); err != nil {
		return err
	}
	if err := property(ctx, kit, "RTTimeUSecMax", &longestUs); err != nil {
		return err
	}
	if most < 1 || longestUs < 1 {
		return fmt.Errorf("it allows priority %d for %d us", most, longestUs)
	}
	if err := limitRTTime(uint64(longestUs)); err != nil {
		return err
	}
	return kit.CallWithContext(ctx, kitName+".MakeThreadRealtime", 0,
		uint64(thread), uint32(min(priority, int(most)))).Err
}

func property(ctx context.Context, kit dbus.BusObject, name string, value any) error {
	err := kit.CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, kitName, name).Store(value)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// limitRTTime lowers the limit to what RealtimeKit wants, where it is higher.
func limitRTTime(longestUs uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_RTTIME, &limit); err != nil {
		return err
	}
	if limit.Max <= longestUs {
		return nil
	}
	limit.Cur, limit.Max = min(limit.Cur, longestUs), longestUs
	if err := unix.Setrlimit(unix.RLIMIT_RTTIME, &limit); err != nil {
		return fmt.Errorf("RLIMIT_RTTIME %d us: %w", longestUs, err)
	}
	return nil
}

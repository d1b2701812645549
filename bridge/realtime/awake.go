package realtime

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// latencyDevice keeps processors from idle states that take longer to leave
// than the number written into it, in us, for as long as it is open (Linux,
// Documentation/power/pm_qos_interface.rst).
const latencyDevice = "/dev/cpu_dma_latency"

const latencyRemedy = `udev rule KERNEL=="cpu_dma_latency", GROUP="audio", MODE="0660", and be in the group audio; ` +
	`where a systemd unit forbids devices, DeviceAllow=/dev/cpu_dma_latency rw; or say --cpu-sleep allow`

// SetStreaming keeps the processors awake, or lets them sleep again. A refusal
// is told once and tried again with the next stream.
func (m *Machine) SetStreaming(streaming bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case !streaming && m.awake != nil:
		_ = m.awake.Close()
		m.awake = nil
	case streaming && m.awake == nil && m.keepAwake:
		held, err := hold(m.latencyPath)
		if err != nil {
			m.warnLocked("processors may sleep: waking them up costs time and can cause dropouts", "reason", err, "remedy", remedy(err))
			return
		}
		m.awake = held
	}
}

// hold asks for no wake-up latency at all. Nothing above 0 helps in a virtual
// machine, whose only real idle state claims to take 1 us (cpuidle-haltpoll).
func hold(path string) (*os.File, error) {
	device, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if _, err := device.Write(make([]byte, 4)); err != nil { // 0 us, as a 32-bit number
		_ = device.Close()
		return nil, fmt.Errorf("0 us not accepted: %w", err)
	}
	return device, nil
}

func remedy(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "a kernel with CONFIG_CPU_IDLE; in a container, pass the device in; or say --cpu-sleep allow"
	}
	return latencyRemedy
}

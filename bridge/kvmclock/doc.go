// Package kvmclock reads the host's clock in a virtual machine, by the PTP clock
// of KVM (Linux, drivers/ptp/ptp_kvm_common.c): the host's CLOCK_REALTIME, by a
// hypercall.
package kvmclock

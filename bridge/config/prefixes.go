package config

import (
	"net/netip"
	"strings"
)

// Prefixes is a list of IP networks. The zero value is none.
type Prefixes struct{ List []netip.Prefix }

// UnmarshalText reads addresses and ADDRESS/BITS, several with commas between, or
// nothing. An address is the network of it alone; bits behind the network's are not
// looked at.
func (p *Prefixes) UnmarshalText(text []byte) error {
	var list []netip.Prefix
	if len(text) > 0 {
		for part := range strings.SplitSeq(string(text), ",") {
			prefix, err := parsePrefix(strings.TrimSpace(part))
			if err != nil {
				return errNotLegal
			}
			list = append(list, prefix)
		}
	}
	p.List = list
	return nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return prefix, err
	}
	if addr := prefix.Addr(); addr.Is4In6() {
		if prefix.Bits() < 96 {
			return prefix, errNotLegal
		}
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), nil
}

// String returns the networks as UnmarshalText reads them.
func (p Prefixes) String() string {
	parts := make([]string, 0, len(p.List))
	for _, prefix := range p.List {
		parts = append(parts, prefix.String())
	}
	return strings.Join(parts, ",")
}

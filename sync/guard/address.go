package guard

import "net/netip"

// network is one that is not public, by the special-purpose registries of
// RFC 6890.
type network struct {
	prefix netip.Prefix
	name   string
}

func networks() []network {
	var out []network
	for _, n := range []struct{ prefix, name string }{
		{"0.0.0.0/8", "unspecified"},
		{"10.0.0.0/8", "private"},        // RFC 1918
		{"100.64.0.0/10", "shared"},      // carrier-grade NAT, RFC 6598
		{"127.0.0.0/8", "loopback"},      //
		{"169.254.0.0/16", "link-local"}, // with the metadata services of clouds
		{"172.16.0.0/12", "private"},
		{"192.0.0.0/24", "reserved"},
		{"192.0.2.0/24", "documentation"},
		{"192.88.99.0/24", "reserved"}, // 6to4 relays, RFC 7526
		{"192.168.0.0/16", "private"},
		{"198.18.0.0/15", "benchmark"},
		{"198.51.100.0/24", "documentation"},
		{"203.0.113.0/24", "documentation"},
		{"224.0.0.0/4", "multicast"},
		{"240.0.0.0/4", "reserved"}, // and the broadcast address
		{"::/128", "unspecified"},
		{"::1/128", "loopback"},
		{"64:ff9b:1::/48", "private"}, // local NAT64, RFC 8215
		{"fc00::/7", "private"},       // RFC 4193
		{"fe80::/10", "link-local"},
		{"fec0::/10", "private"}, // site-local, RFC 3879
		{"ff00::/8", "multicast"},
		{"2001:db8::/32", "documentation"},
		{"3fff::/20", "documentation"},
		{"2001::/23", "reserved"}, // Teredo, benchmark, ORCHID
		{"2002::/16", "reserved"}, // 6to4, RFC 7526: what is behind it is an IPv4 address
	} {
		out = append(out, network{netip.MustParsePrefix(n.prefix), n.name})
	}
	return out
}

var (
	special = networks()
	// public6 is what of IPv6 is given to anybody; nat64 leads to IPv4 (RFC 6052).
	public6 = netip.MustParsePrefix("2000::/3")
	nat64   = netip.MustParsePrefix("64:ff9b::/96")
)

// refused says what kind of network the address is in, "" when it may be
// reached. The address has no zone.
func refused(ip netip.Addr, allow []netip.Prefix) string {
	ip = ip.Unmap()
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	for _, p := range allow {
		if p.Contains(ip) {
			return ""
		}
	}
	for _, n := range special {
		if n.prefix.Contains(ip) {
			return n.name
		}
	}
	if ip.Is6() && !public6.Contains(ip) {
		return "reserved"
	}
	return ""
}

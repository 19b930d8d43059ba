//! Address classes, from the IANA special-purpose registries for IPv4 and IPv6.
//!
//! The test is deliberately coarse where a registry carves a globally reachable anycast service
//! out of a special block: no server of ours lives there.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Reach;

/// Why an address is not an ordinary public host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// This host itself, by 127.0.0.0/8 or `::1`.
    Loopback,
    /// Private use, shared (carrier) or unique-local space.
    Private,
    /// Link-local and the former site-local space.
    LinkLocal,
    /// Multicast and broadcast.
    Multicast,
    /// An IPv6 form that carries an IPv4 address: mapped, compatible, NAT64, 6to4, Teredo.
    Transition,
    /// Unspecified, documentation, benchmarking, protocol assignments, unallocated space.
    Reserved,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "a loopback",
            Self::Private => "a private",
            Self::LinkLocal => "a link-local",
            Self::Multicast => "a multicast",
            Self::Transition => "an IPv4-in-IPv6",
            Self::Reserved => "a reserved",
        })
    }
}

/// The special class of an address, or `None` for a globally reachable unicast one.
pub fn classify(address: IpAddr) -> Option<Class> {
    match address {
        IpAddr::V4(address) => V4_SPECIAL
            .iter()
            .find(|(network, prefix, _)| v4_contains(*network, *prefix, address))
            .map(|(_, _, class)| *class),
        IpAddr::V6(address) => V6_SPECIAL
            .iter()
            .find(|(network, prefix, _)| v6_contains(*network, *prefix, address))
            .map(|(_, _, class)| *class)
            .or_else(|| {
                // Only 2000::/3 is allocated for global unicast (RFC 4291, section 4).
                let allocated = Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0);
                (!v6_contains(allocated, 3, address)).then_some(Class::Reserved)
            }),
    }
}

/// The class for which `reach` refuses this address, or `None` when it may be connected to.
pub fn refusal(reach: Reach, address: IpAddr) -> Option<Class> {
    match (reach, classify(address)) {
        (Reach::Operator, _) | (Reach::Loopback, Some(Class::Loopback)) => None,
        (_, class) => class,
    }
}

fn v4_contains(network: Ipv4Addr, prefix: u32, address: Ipv4Addr) -> bool {
    let mask = u32::MAX << (32 - prefix);
    address.to_bits() & mask == network.to_bits()
}

fn v6_contains(network: Ipv6Addr, prefix: u32, address: Ipv6Addr) -> bool {
    let mask = u128::MAX << (128 - prefix);
    address.to_bits() & mask == network.to_bits()
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

/// The first six groups; no prefix here is longer.
const fn v6(groups: [u16; 6]) -> Ipv6Addr {
    let [a, b, c, d, rest @ ..] = groups;
    Ipv6Addr::new(a, b, c, d, rest[0], rest[1], 0, 0)
}

/// Network, prefix length, class. The first match wins.
const V4_SPECIAL: &[(Ipv4Addr, u32, Class)] = &[
    (v4(0, 0, 0, 0), 8, Class::Reserved),           // "this network"
    (v4(10, 0, 0, 0), 8, Class::Private),           // RFC 1918
    (v4(100, 64, 0, 0), 10, Class::Private),        // shared address space, RFC 6598
    (v4(127, 0, 0, 0), 8, Class::Loopback),         //
    (v4(169, 254, 0, 0), 16, Class::LinkLocal),     // cloud metadata services live here
    (v4(172, 16, 0, 0), 12, Class::Private),        // RFC 1918
    (v4(192, 0, 0, 0), 24, Class::Reserved),        // protocol assignments
    (v4(192, 0, 2, 0), 24, Class::Reserved),        // TEST-NET-1
    (v4(192, 31, 196, 0), 24, Class::Reserved),     // AS112
    (v4(192, 52, 193, 0), 24, Class::Reserved),     // automatic multicast tunnelling
    (v4(192, 88, 99, 0), 24, Class::Transition),    // 6to4 relay anycast
    (v4(192, 168, 0, 0), 16, Class::Private),       // RFC 1918
    (v4(192, 175, 48, 0), 24, Class::Reserved),     // AS112
    (v4(198, 18, 0, 0), 15, Class::Reserved),       // benchmarking
    (v4(198, 51, 100, 0), 24, Class::Reserved),     // TEST-NET-2
    (v4(203, 0, 113, 0), 24, Class::Reserved),      // TEST-NET-3
    (v4(224, 0, 0, 0), 4, Class::Multicast),        //
    (v4(255, 255, 255, 255), 32, Class::Multicast), // limited broadcast
    (v4(240, 0, 0, 0), 4, Class::Reserved),         // future use
];

/// Network, prefix length, class. The first match wins.
const V6_SPECIAL: &[(Ipv6Addr, u32, Class)] = &[
    (Ipv6Addr::LOCALHOST, 128, Class::Loopback),
    (Ipv6Addr::UNSPECIFIED, 128, Class::Reserved),
    (v6([0, 0, 0, 0, 0, 0xffff]), 96, Class::Transition), // IPv4-mapped
    (v6([0, 0, 0, 0, 0, 0]), 96, Class::Transition),      // IPv4-compatible
    (v6([0, 0, 0, 0, 0xffff, 0]), 96, Class::Transition), // IPv4-translated
    (v6([0x64, 0xff9b, 0, 0, 0, 0]), 96, Class::Transition), // NAT64
    (v6([0x64, 0xff9b, 1, 0, 0, 0]), 48, Class::Transition), // local-use NAT64
    (v6([0x100, 0, 0, 0, 0, 0]), 64, Class::Reserved),    // discard only
    (v6([0x2001, 0, 0, 0, 0, 0]), 32, Class::Transition), // Teredo
    (v6([0x2001, 0, 0, 0, 0, 0]), 23, Class::Reserved),   // protocol assignments, ORCHID, …
    (v6([0x2001, 0xdb8, 0, 0, 0, 0]), 32, Class::Reserved), // documentation
    (v6([0x2002, 0, 0, 0, 0, 0]), 16, Class::Transition), // 6to4
    (v6([0x2620, 0x4f, 0x8000, 0, 0, 0]), 48, Class::Reserved), // AS112
    (v6([0x3ffe, 0, 0, 0, 0, 0]), 16, Class::Reserved),   // returned 6bone space
    (v6([0x3fff, 0, 0, 0, 0, 0]), 20, Class::Reserved),   // documentation
    (v6([0xfc00, 0, 0, 0, 0, 0]), 7, Class::Private),     // unique local
    (v6([0xfe80, 0, 0, 0, 0, 0]), 10, Class::LinkLocal),  //
    (v6([0xfec0, 0, 0, 0, 0, 0]), 10, Class::LinkLocal),  // former site-local
    (v6([0xff00, 0, 0, 0, 0, 0]), 8, Class::Multicast),   //
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_special_block_is_recognised_at_both_ends() {
        use Class::{LinkLocal, Loopback, Multicast, Private, Reserved, Transition};
        let table: &[(&str, Option<Class>)] = &[
            ("0.0.0.0", Some(Reserved)),
            ("0.255.255.255", Some(Reserved)),
            ("1.0.0.0", None),
            ("9.255.255.255", None),
            ("10.0.0.0", Some(Private)),
            ("10.255.255.255", Some(Private)),
            ("11.0.0.0", None),
            ("100.63.255.255", None),
            ("100.64.0.0", Some(Private)),
            ("100.127.255.255", Some(Private)),
            ("100.128.0.0", None),
            ("127.0.0.1", Some(Loopback)),
            ("127.255.255.255", Some(Loopback)),
            ("128.0.0.0", None),
            ("169.254.169.254", Some(LinkLocal)),
            ("169.255.0.0", None),
            ("172.15.255.255", None),
            ("172.16.0.0", Some(Private)),
            ("172.31.255.255", Some(Private)),
            ("172.32.0.0", None),
            ("192.0.0.1", Some(Reserved)),
            ("192.0.0.170", Some(Reserved)),
            ("192.0.1.0", None),
            ("192.0.2.255", Some(Reserved)),
            ("192.31.196.1", Some(Reserved)),
            ("192.52.193.1", Some(Reserved)),
            ("192.88.99.1", Some(Transition)),
            ("192.88.98.255", None),
            ("192.167.255.255", None),
            ("192.168.0.0", Some(Private)),
            ("192.168.255.255", Some(Private)),
            ("192.175.48.6", Some(Reserved)),
            ("198.17.255.255", None),
            ("198.18.0.0", Some(Reserved)),
            ("198.19.255.255", Some(Reserved)),
            ("198.51.100.7", Some(Reserved)),
            ("203.0.113.7", Some(Reserved)),
            ("223.255.255.255", None),
            ("224.0.0.1", Some(Multicast)),
            ("239.255.255.255", Some(Multicast)),
            ("240.0.0.1", Some(Reserved)),
            ("255.255.255.255", Some(Multicast)),
            ("93.184.216.34", None),
            ("::", Some(Reserved)),
            ("::1", Some(Loopback)),
            ("::7f00:1", Some(Transition)),
            ("::ffff:127.0.0.1", Some(Transition)),
            ("::ffff:93.184.216.34", Some(Transition)),
            ("::ffff:0:10.0.0.1", Some(Transition)),
            ("64:ff9b::a00:1", Some(Transition)),
            ("64:ff9b:1::1", Some(Transition)),
            ("64:ff9b:2::1", Some(Reserved)),
            ("100::1", Some(Reserved)),
            ("100:0:0:1::1", Some(Reserved)),
            ("1fff:ffff::1", Some(Reserved)),
            ("2000::1", None),
            ("2001::1", Some(Transition)),
            ("2001:2::1", Some(Reserved)),
            ("2001:10::1", Some(Reserved)),
            ("2001:20::1", Some(Reserved)),
            ("2001:1ff:ffff::1", Some(Reserved)),
            ("2001:200::1", None),
            ("2001:db8::1", Some(Reserved)),
            ("2001:db9::1", None),
            ("2002:7f00:1::1", Some(Transition)),
            ("2003::1", None),
            ("2606:2800:220:1:248:1893:25c8:1946", None),
            ("2620:4f:8000::1", Some(Reserved)),
            ("3ffe::1", Some(Reserved)),
            ("3fff::1", Some(Reserved)),
            ("3fff:fff:ffff::1", Some(Reserved)),
            ("3fff:1000::1", None),
            ("4000::1", Some(Reserved)),
            ("5f00::1", Some(Reserved)),
            ("fc00::1", Some(Private)),
            ("fdff::1", Some(Private)),
            ("fe80::1", Some(LinkLocal)),
            ("fec0::1", Some(LinkLocal)),
            ("ff02::1", Some(Multicast)),
        ];
        for (text, expected) in table {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(classify(address), *expected, "{text}");
        }
    }

    #[test]
    fn the_development_reach_adds_loopback_and_nothing_else() {
        let refused = |reach, text: &str| refusal(reach, text.parse().unwrap()).is_some();
        assert!(!refused(Reach::Loopback, "127.0.0.1"));
        assert!(!refused(Reach::Loopback, "::1"));
        assert!(refused(Reach::PublicOnly, "127.0.0.1"));
        for elsewhere in [
            "10.0.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "::ffff:127.0.0.1",
            "fd00::1",
        ] {
            assert!(refused(Reach::Loopback, elsewhere), "{elsewhere}");
            assert!(!refused(Reach::Operator, elsewhere), "{elsewhere}");
        }
    }
}

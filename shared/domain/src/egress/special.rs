//! Addresses that are not a public receiver's: IANA's special-purpose address registries for IPv4 and IPv6, entry by entry,
//! multicast, and the clouds' metadata services.
//!
//! Some entries count as globally reachable (AS112, AMT, ORCHIDv2, PCP and TURN anycast). None of them holds a receiver, so
//! they are refused as well. IPv6 addresses that embed an IPv4 one are refused whole and not unwrapped: a public receiver has
//! a plain address of its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const EMBEDS: &str = "it embeds an IPv4 address";

pub(super) const SPECIAL_V4: [(Ipv4Net, &str); 19] = [
    (v4([0, 0, 0, 0], 8), "it means this host"),
    (v4([10, 0, 0, 0], 8), "it is private"),
    (v4([100, 64, 0, 0], 10), "it is a carrier's shared space"),
    (v4([127, 0, 0, 0], 8), "it is loopback"),
    (v4([169, 254, 0, 0], 16), "it is link-local"),
    (v4([172, 16, 0, 0], 12), "it is private"),
    (v4([192, 0, 0, 0], 24), "it is reserved for protocols"),
    (v4([192, 0, 2, 0], 24), "it is for documentation"),
    (v4([192, 31, 196, 0], 24), "it is a sink for look-ups (AS112)"),
    (v4([192, 52, 193, 0], 24), "it is for multicast tunnels (AMT)"),
    (v4([192, 88, 99, 0], 24), "it is a 6to4 relay"),
    (v4([192, 168, 0, 0], 16), "it is private"),
    (v4([192, 175, 48, 0], 24), "it is a sink for look-ups (AS112)"),
    (v4([198, 18, 0, 0], 15), "it is for benchmarks"),
    (v4([198, 51, 100, 0], 24), "it is for documentation"),
    (v4([203, 0, 113, 0], 24), "it is for documentation"),
    (v4([224, 0, 0, 0], 4), "it is multicast"),
    (v4([255, 255, 255, 255], 32), "it is broadcast"),
    (v4([240, 0, 0, 0], 4), "it is reserved"),
];

/// The only IPv6 space that holds public unicast addresses.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0], 3);

/// The first that fits counts. Those outside of 2000::/3 would be refused anyway; they are here to say why.
pub(super) const SPECIAL_V6: [(Ipv6Net, &str); 21] = [
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), "it means this host"),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "it is loopback"),
    (v6([0, 0, 0], 96), EMBEDS),
    (Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), EMBEDS),
    (Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96), EMBEDS),
    (v6([0x64, 0xff9b, 0], 96), EMBEDS),
    (v6([0x64, 0xff9b, 1], 48), EMBEDS),
    (v6([0x100, 0, 0], 64), "what is sent there is discarded"),
    (Ipv6Net::new_assert(Ipv6Addr::new(0x100, 0, 0, 1, 0, 0, 0, 0), 64), "it is a dummy"),
    (v6([0x2001, 0, 0], 32), "it embeds an IPv4 address (Teredo)"),
    (v6([0x2001, 0, 0], 23), "it is reserved for protocols"),
    (v6([0x2001, 0xdb8, 0], 32), "it is for documentation"),
    (v6([0x2002, 0, 0], 16), "it embeds an IPv4 address (6to4)"),
    (v6([0x2620, 0x4f, 0x8000], 48), "it is a sink for look-ups (AS112)"),
    (v6([0x3ffe, 0, 0], 16), "it belonged to the 6bone"),
    (v6([0x3fff, 0, 0], 20), "it is for documentation"),
    (v6([0x5f00, 0, 0], 16), "it is for segment routing"),
    (v6([0xfc00, 0, 0], 7), "it is private"),
    (v6([0xfe80, 0, 0], 10), "it is link-local"),
    (v6([0xfec0, 0, 0], 10), "it is private (site-local)"),
    (v6([0xff00, 0, 0], 8), "it is multicast"),
];

/// What an operator's list may lift: networks that people run on their own.
pub(super) const ALLOWABLE: [IpNet; 6] = [
    IpNet::V4(v4([10, 0, 0, 0], 8)),
    IpNet::V4(v4([100, 64, 0, 0], 10)),
    IpNet::V4(v4([172, 16, 0, 0], 12)),
    IpNet::V4(v4([192, 168, 0, 0], 16)),
    IpNet::V4(v4([198, 18, 0, 0], 15)),
    IpNet::V6(v6([0xfc00, 0, 0], 7)),
];

/// Services that hand a cloud's credentials to whoever asks. Several lie within networks that an operator may allow, and
/// Azure's in public space.
pub(super) const METADATA: [IpNet; 8] = [
    IpNet::V4(v4([169, 254, 169, 254], 32)),
    // Amazon's, for containers.
    IpNet::V4(v4([169, 254, 170, 2], 32)),
    // Azure's.
    IpNet::V4(v4([168, 63, 129, 16], 32)),
    // Alibaba's.
    IpNet::V4(v4([100, 100, 100, 200], 32)),
    // Oracle's.
    IpNet::V4(v4([192, 0, 0, 192], 32)),
    // Amazon's: metadata, time, name servers, containers.
    IpNet::V6(v6([0xfd00, 0xec2, 0], 32)),
    // Google's.
    IpNet::V6(v6([0xfd20, 0xce, 0], 32)),
    // Scaleway's.
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42), 128)),
];

pub(super) fn is_metadata(address: IpAddr) -> bool {
    METADATA.iter().any(|net| net.contains(&address))
}

/// Why an address is not a public receiver's; nothing, if it may be one.
pub(super) fn why(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => SPECIAL_V4.iter().find(|(net, _)| net.contains(&v4)).map(|(_, why)| *why),
        IpAddr::V6(v6) => {
            let listed = SPECIAL_V6.iter().find(|(net, _)| net.contains(&v6)).map(|(_, why)| *why);
            let outside = (!GLOBAL_V6.contains(&v6)).then_some("it is not a global unicast address");
            let isatap = is_isatap(v6).then_some("it embeds an IPv4 address (ISATAP)");
            listed.or(outside).or(isatap)
        }
    }
}

/// By RFC 5214 the interface's part is 0:5efe or 200:5efe and an IPv4 address, under any prefix.
fn is_isatap(address: Ipv6Addr) -> bool {
    let [_, _, _, _, flags, marker, _, _] = address.segments();
    marker == 0x5efe && (flags == 0 || flags == 0x200)
}

const fn v4([a, b, c, d]: [u8; 4], bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6([a, b, c]: [u16; 3], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), bits)
}

//! Where Postrider may connect: to global unicast addresses, and to nothing else.
//!
//! Default deny. The lists are IANA's special-purpose address registries for IPv4 and IPv6; an IPv6 address that embeds
//! an IPv4 one is refused whole, since none of those mechanisms is how a public receiver is reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{Ipv4Net, Ipv6Net};

/// Which addresses beside the public ones may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateTargets {
    /// None.
    Refuse,
    /// This machine's loopback: a local stack's receivers.
    AllowLoopback,
}

/// IPv4 ranges that are not public, and why.
const SPECIAL_V4: [(Ipv4Addr, u8, &str); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "it means this host"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "it is private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "it is a carrier's shared space"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "it is loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "it is link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "it is private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "it is reserved for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "it is for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "it is a 6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "it is private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "it is for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "it is for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "it is for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "it is multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "it is reserved"),
];

/// The only IPv6 space that holds public unicast addresses.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What is not public within it, and why.
const SPECIAL_V6: [(Ipv6Addr, u8, &str); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "it is reserved for protocols"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "it is for documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "it is a 6to4 address"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "it is for documentation"),
];

static V4: LazyLock<Vec<(Ipv4Net, &str)>> = LazyLock::new(|| {
    SPECIAL_V4.iter().filter_map(|&(net, bits, why)| Some((Ipv4Net::new(net, bits).ok()?, why))).collect()
});

static V6: LazyLock<Vec<(Ipv6Net, &str)>> = LazyLock::new(|| {
    SPECIAL_V6.iter().filter_map(|&(net, bits, why)| Some((Ipv6Net::new(net, bits).ok()?, why))).collect()
});

impl PrivateTargets {
    /// Whether `address` may be connected to.
    ///
    /// # Errors
    /// Why not, to be read after "the address is refused:".
    pub fn check(self, address: IpAddr) -> Result<(), &'static str> {
        if self == Self::AllowLoopback && address.is_loopback() {
            return Ok(());
        }
        match address {
            IpAddr::V4(v4) => refuse_listed(V4.iter().find(|(net, _)| net.contains(&v4)).map(|(_, why)| *why)),
            IpAddr::V6(v6) => {
                let (global, bits) = GLOBAL_V6;
                if !Ipv6Net::new(global, bits).is_ok_and(|net| net.contains(&v6)) {
                    return Err("it is not a global unicast address");
                }
                refuse_listed(V6.iter().find(|(net, _)| net.contains(&v6)).map(|(_, why)| *why))
            }
        }
    }
}

fn refuse_listed(why: Option<&'static str>) -> Result<(), &'static str> {
    why.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, policy: PrivateTargets) -> bool {
        policy.check(text.parse().unwrap()).is_err()
    }

    #[test]
    fn every_listed_range_is_known() {
        assert_eq!((V4.len(), V6.len()), (SPECIAL_V4.len(), SPECIAL_V6.len()));
    }

    #[test]
    fn private_and_special_addresses_are_refused() {
        for text in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:7f00:1::",
            "2001::1",
            "fc00::1",
            "fe80::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
        ] {
            assert!(refused(text, PrivateTargets::Refuse), "{text}");
        }
    }

    #[test]
    fn public_addresses_are_accepted() {
        for text in
            ["8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "100.128.0.1", "192.0.1.1", "2606:4700::1111"]
        {
            assert!(!refused(text, PrivateTargets::Refuse), "{text}");
        }
    }

    #[test]
    fn a_local_stack_may_send_to_loopback_and_to_no_other_private_address() {
        for text in ["127.0.0.1", "::1"] {
            assert!(!refused(text, PrivateTargets::AllowLoopback), "{text}");
        }
        for text in ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "0.0.0.0"] {
            assert!(refused(text, PrivateTargets::AllowLoopback), "{text}");
        }
    }
}

//! Block by block, at the edges, and the operator's lists.

use super::special::{METADATA, SPECIAL_V4, SPECIAL_V6};
use super::*;

fn strict() -> Egress {
    Egress::new(PrivateTargets::Refuse)
}

fn refused(text: &str) -> bool {
    strict().check_address(text.parse().unwrap()).is_err()
}

/// First and last address of each block of the IPv4 registry (and of multicast), and what lies outside of it on either
/// side: another block, or nothing.
const EDGES_V4: [(&str, &str, &str, &str); 24] = [
    ("", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
    ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
    ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
    ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
    ("168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"),
    ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
    ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
    ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
    ("", "192.0.0.0", "192.0.0.7", ""),
    ("", "192.0.0.8", "192.0.0.10", ""),
    ("", "192.0.0.170", "192.0.0.171", ""),
    ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
    ("192.31.195.255", "192.31.196.0", "192.31.196.255", "192.31.197.0"),
    ("192.52.192.255", "192.52.193.0", "192.52.193.255", "192.52.194.0"),
    ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
    ("", "192.88.99.2", "192.88.99.2", ""),
    ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
    ("192.175.47.255", "192.175.48.0", "192.175.48.255", "192.175.49.0"),
    ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
    ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
    ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
    ("223.255.255.255", "224.0.0.0", "239.255.255.255", ""),
    ("", "240.0.0.0", "255.255.255.254", ""),
    ("", "255.255.255.255", "255.255.255.255", ""),
];

/// The same for IPv6, with site-local and multicast. Outside of 2000::/3 there are no neighbours to accept.
const EDGES_V6: [(&str, &str, &str, &str); 29] = [
    ("", "::1", "::1", ""),
    ("", "::", "::", ""),
    ("", "::ffff:0:0", "::ffff:ffff:ffff", ""),
    ("", "::ffff:0:0:0", "::ffff:0:ffff:ffff", ""),
    ("", "64:ff9b::", "64:ff9b::ffff:ffff", ""),
    ("", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", ""),
    ("", "100::", "100::ffff:ffff:ffff:ffff", ""),
    ("", "100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", ""),
    ("", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"),
    ("2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"),
    ("", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", ""),
    ("", "2001:1::1", "2001:1::3", ""),
    ("", "2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", ""),
    ("", "2001:3::", "2001:3:ffff:ffff:ffff:ffff:ffff:ffff", ""),
    ("", "2001:4:112::", "2001:4:112:ffff:ffff:ffff:ffff:ffff", ""),
    ("", "2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", ""),
    ("", "2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", ""),
    ("", "2001:30::", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff", ""),
    ("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"),
    ("2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"),
    (
        "2620:4f:7fff:ffff:ffff:ffff:ffff:ffff",
        "2620:4f:8000::",
        "2620:4f:8000:ffff:ffff:ffff:ffff:ffff",
        "2620:4f:8001::",
    ),
    ("3ffd:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3ffe::", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
    ("", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"),
    ("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "4000::", ""),
    ("", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
    ("", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
    ("", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
    ("", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
    ("", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
];

#[test]
fn each_block_is_refused_from_its_first_address_to_its_last() {
    for (before, first, last, after) in EDGES_V4.into_iter().chain(EDGES_V6) {
        assert!(refused(first) && refused(last), "{first} to {last}");
        for neighbour in [before, after].into_iter().filter(|neighbour| !neighbour.is_empty()) {
            assert!(!refused(neighbour), "{neighbour}, a neighbour of {first} to {last}");
        }
    }
}

#[test]
fn every_block_of_the_tables_has_its_edges_tested() {
    let ends: Vec<IpAddr> = EDGES_V4
        .iter()
        .chain(&EDGES_V6)
        .flat_map(|(_, first, last, _)| [first.parse(), last.parse()])
        .flatten()
        .collect();
    for (net, _) in SPECIAL_V4 {
        assert!(ends.contains(&net.network().into()) || net.prefix_len() == 32, "{net}");
    }
    for (net, _) in SPECIAL_V6 {
        assert!(ends.contains(&net.network().into()), "{net}");
    }
}

#[test]
fn an_address_within_another_is_refused_whatever_it_is() {
    for text in [
        "::ffff:8.8.8.8",
        "::8.8.8.8",
        "::ffff:0:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::8.8.8.8",
        "2002:808:808::1",
        "2001:0:808:808::1",
        "2606:4700::5efe:8.8.8.8",
        "2606:4700::200:5efe:8.8.8.8",
    ] {
        let why = strict().check_address(text.parse().unwrap()).expect_err(text);
        assert!(why.contains("embeds an IPv4 address"), "{text}: {why}");
    }
}

#[test]
fn a_local_stack_may_send_to_loopback_and_to_no_other_private_address() {
    let local = Egress::new(PrivateTargets::AllowLoopback);
    for text in ["127.0.0.1", "127.9.9.9", "::1"] {
        assert_eq!(local.check_address(text.parse().unwrap()), Ok(()), "{text}");
    }
    for text in ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "0.0.0.0", "::"] {
        assert!(local.check_address(text.parse().unwrap()).is_err(), "{text}");
    }
}

#[test]
fn networks_of_the_operators_own_can_be_allowed() {
    let egress = strict().allowing("list", "10.20.0.0/16, fd12:3456::/48 ,192.168.7.9,").unwrap();
    for text in ["10.20.0.0", "10.20.255.255", "fd12:3456::1", "192.168.7.9", "8.8.8.8"] {
        assert_eq!(egress.check_address(text.parse().unwrap()), Ok(()), "{text}");
    }
    for text in ["10.19.255.255", "10.21.0.0", "fd12:3456:1::1", "192.168.7.8", "127.0.0.1", "::ffff:10.20.0.1"] {
        assert!(egress.check_address(text.parse().unwrap()).is_err(), "{text}");
    }
    assert_eq!(strict().allowing("list", "").unwrap(), strict());
}

#[test]
fn no_list_lifts_what_is_nobodys_own() {
    for entry in [
        "0.0.0.0/0",
        "127.0.0.0/8",
        "127.0.0.1",
        "169.254.0.0/16",
        "169.254.169.254/32",
        "168.63.129.16",
        "192.0.0.192/32",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "255.255.255.255",
        "0.0.0.0/8",
        "8.0.0.0/6",
        "192.0.0.0/8",
        "::/0",
        "::1/128",
        "::/128",
        "fe80::/10",
        "ff00::/8",
        "::ffff:10.0.0.0/104",
        "64:ff9b::/96",
        "2002:a00::/24",
        "f000::/4",
        // No networks at all, or slips.
        "10.20.3.4/16",
        "10.20.0.0/33",
        "10.20.0.0-10.20.9.9",
        "10.20",
        "example.com",
        "10.20.0.0/16;10.30.0.0/16",
        "fd12::/129",
    ] {
        let error = strict().allowing("ALLOWED", entry).expect_err(entry);
        assert_eq!(error.field, "ALLOWED");
        assert!(error.expected.contains(entry) && error.expected.contains("172.16.0.0/12"), "{error}");
    }
    let widest =
        strict().allowing("list", "10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,198.18.0.0/15,fc00::/7");
    let widest = widest.unwrap();
    for metadata in METADATA {
        assert_eq!(widest.check_address(metadata.addr()), Err("it is a cloud's metadata service"), "{metadata}");
    }
}

#[test]
fn a_deny_list_holds_names_only() {
    for entry in [
        "10.0.0.1",
        "[::1]",
        "*.example.com",
        "https://example.com",
        "example.com/a",
        "exam ple.com",
        "a..b",
        ".",
        "a:1",
    ] {
        let error = strict().denying("DENIED", entry).expect_err(entry);
        assert!(error.field == "DENIED" && error.expected.contains(entry), "{error}");
    }
    let egress = strict().denying("list", " Example.COM. ,,münchen.example").unwrap();
    for name in ["example.com", "a.example.com", "xn--mnchen-3ya.example"] {
        assert!(egress.check_name(name).is_err(), "{name}");
    }
    for name in ["example.org", "notexample.com", "com.example"] {
        assert_eq!(egress.check_name(name), Ok(()), "{name}");
    }
}

#[test]
fn a_denied_name_stays_denied_where_loopback_is_allowed() {
    let local = Egress::new(PrivateTargets::AllowLoopback).denying("list", "localhost").unwrap();
    assert!(local.check_name("hook.localhost").is_err());
}

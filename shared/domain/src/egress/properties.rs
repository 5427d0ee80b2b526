//! What holds for every address.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::special::{ALLOWABLE, METADATA, SPECIAL_V4, SPECIAL_V6};
use super::*;

fn strict() -> Egress {
    Egress::new(PrivateTargets::Refuse)
}

/// Some list that an operator may write, narrow or wide.
fn lists() -> impl Strategy<Value = Egress> {
    let entry = (prop::sample::select(&ALLOWABLE), any::<u128>(), any::<u8>()).prop_map(|(wide, bits, longer)| {
        let longest = wide.max_prefix_len();
        let length = wide.prefix_len() + longer % (longest - wide.prefix_len() + 1);
        within(wide, bits, length)
    });
    prop::collection::vec(entry, 0..5).prop_map(|nets| {
        let list = nets.iter().map(IpNet::to_string).collect::<Vec<_>>().join(",");
        strict().allowing("list", &list).expect(&list)
    })
}

/// The network of some length in `wide` that `bits` choose.
fn within(wide: IpNet, bits: u128, length: u8) -> IpNet {
    let address: IpAddr = match wide {
        IpNet::V4(net) => {
            let bits = u32::try_from(bits & u128::from(u32::MAX)).unwrap();
            Ipv4Addr::from(u32::from(net.network()) | (bits & u32::from(net.hostmask()))).into()
        }
        IpNet::V6(net) => Ipv6Addr::from(u128::from(net.network()) | (bits & u128::from(net.hostmask()))).into(),
    };
    IpNet::new(address, length).unwrap().trunc()
}

fn address_in(net: IpNet, bits: u128) -> IpAddr {
    within(net, bits, net.max_prefix_len()).addr()
}

fn special() -> Vec<IpNet> {
    let v4 = SPECIAL_V4.iter().map(|(net, _)| IpNet::V4(*net));
    v4.chain(SPECIAL_V6.iter().map(|(net, _)| IpNet::V6(*net))).chain(METADATA).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20_000)) })]

    #[test]
    fn every_address_of_a_special_block_is_refused(net in prop::sample::select(special()), bits in any::<u128>()) {
        let address = address_in(net, bits);
        prop_assert!(strict().check_address(address).is_err(), "{}", address);
    }

    #[test]
    fn every_ipv4_address_is_refused_within_an_ipv6_one(bits in any::<u32>(), rest in any::<u16>(), egress in lists()) {
        let [a, b] = [(bits >> 16) as u16, (bits & 0xffff) as u16];
        for segments in [
            [0, 0, 0, 0, 0, 0xffff, a, b],
            [0, 0, 0, 0, 0xffff, 0, a, b],
            [0, 0, 0, 0, 0, 0, a, b],
            [0x64, 0xff9b, 0, 0, 0, 0, a, b],
            [0x64, 0xff9b, 1, rest, 0, 0, a, b],
            [0x2002, a, b, rest, 0, 0, 0, 1],
            [0x2001, 0, a, b, rest, 0, !a, !b],
            [0x2606, 0x4700, rest, 0, 0, 0x5efe, a, b],
            [0x2606, 0x4700, rest, 0, 0x200, 0x5efe, a, b],
        ] {
            prop_assert!(egress.check_address(Ipv6Addr::from(segments).into()).is_err(), "{:x?}", segments);
        }
    }

    #[test]
    fn no_list_lifts_more_than_private_networks(
        egress in lists(), net in prop::sample::select(special()), bits in any::<u128>(),
    ) {
        let address = address_in(net, bits);
        let own = ALLOWABLE.iter().any(|net| net.contains(&address));
        let metadata = METADATA.iter().any(|net| net.contains(&address));
        if egress.check_address(address).is_ok() {
            prop_assert!(own && !metadata, "{}", address);
        }
    }

    #[test]
    fn a_list_changes_nothing_for_public_addresses(egress in lists(), v4 in any::<u32>(), v6 in any::<u128>()) {
        for address in [IpAddr::from(Ipv4Addr::from(v4)), IpAddr::from(Ipv6Addr::from(v6 >> 3 | 1 << 125))] {
            if strict().check_address(address).is_ok() {
                prop_assert_eq!(egress.check_address(address), Ok(()));
            }
        }
    }
}

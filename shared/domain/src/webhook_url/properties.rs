//! What holds for every text. `PROPTEST_CASES` tries more.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::egress::PrivateTargets;

fn strict() -> Egress {
    Egress::new(PrivateTargets::Refuse)
}

/// What URLs are made of, and what breaks them.
fn fragments() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => prop::sample::select(vec![
            "https://", "https:", "http://", "//", "/", "\\", "@", ":", ".", "。", "#", "?", "%", "%2e", "%40", "%00", "[", "]",
            "::", "::ffff:", "127.0.0.1", "10.", "0x7f", "0177", "1", "localhost", "example", "com", "internal", "xn--", "-",
            "_", "*", " ", "\t", "\u{ad}", "\u{200b}", "\u{feff}", "ß", "①", "１", "metadata", ":443", ":0", "64:ff9b::",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z0-9.]{1,6}",
    ];
    let head = prop_oneof![3 => Just("https://".to_owned()), 1 => Just(String::new())];
    (head, prop::collection::vec(part, 0..12)).prop_map(|(head, parts)| head + &parts.concat())
}

/// One number in one of the notations of the URL standard.
fn number(value: u32, base: u8, zeros: usize) -> String {
    match base {
        0 => value.to_string(),
        1 => format!("0x{}{value:x}", "0".repeat(zeros)),
        2 => format!("0X{}{value:X}", "0".repeat(zeros)),
        _ => format!("0{}{value:o}", "0".repeat(zeros)),
    }
}

/// An address in `parts` numbers, the last of which takes what is left.
fn written(address: Ipv4Addr, parts: usize, bases: [u8; 4], zeros: usize) -> String {
    let bits = u32::from(address);
    let octets = address.octets();
    let last = bits & (u32::MAX.checked_shr(8 * (u32::try_from(parts).unwrap() - 1)).unwrap());
    let mut numbers: Vec<_> = (0..parts - 1).map(|i| number(octets[i].into(), bases[i], zeros)).collect();
    numbers.push(number(last, bases[3], zeros));
    numbers.join(".")
}

fn check_one(text: &str) -> Result<(), TestCaseError> {
    let Ok(parsed) = WebhookUrl::parse("url", text, &strict()) else { return Ok(()) };
    let url = parsed.as_url();
    prop_assert_eq!(url.scheme(), "https");
    prop_assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{}", url);
    prop_assert!(url.as_str().len() <= MAX_CHARS && url.port() != Some(0), "{}", url);
    match parsed.target() {
        Target::Address(address) => prop_assert_eq!(strict().check_address(address), Ok(())),
        Target::Name(name, _) => {
            prop_assert_eq!(strict().check_name(&name), Ok(()));
            prop_assert!(name.is_ascii() && !name.ends_with('.') && name.parse::<IpAddr>().is_err(), "{}", name);
        }
    }
    // What is sent would be accepted as it is, and sent to the same place.
    prop_assert_eq!(WebhookUrl::parse("url", url.as_str(), &strict()), Ok(parsed.clone()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20_000)) })]

    #[test]
    fn what_is_accepted_keeps_the_rules_and_its_meaning(text in fragments()) {
        check_one(&text)?;
    }

    #[test]
    fn an_ipv4_address_is_judged_alike_in_every_notation(
        bits in any::<u32>(), special in any::<prop::sample::Index>(), near in any::<bool>(),
        parts in 1_usize..=4, bases in any::<[u8; 4]>(), zeros in 0_usize..4,
    ) {
        let blocks = [0, 0x0a00_0000, 0x6440_0000, 0x7f00_0000, 0xa9fe_a9fe, 0xac10_0000, 0xc0a8_0000, 0xe000_0000, 0xffff_ffff];
        let bits = if near { *special.get(&blocks) ^ (bits & 0x1ff) } else { bits };
        let address = Ipv4Addr::from(bits);
        let dotted = WebhookUrl::parse("url", &format!("https://{address}/"), &strict());
        let other = written(address, parts, bases.map(|base| base % 4), zeros);
        prop_assert_eq!(WebhookUrl::parse("url", &format!("https://{other}/"), &strict()), dotted, "{}", other);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(5_000) })]

    #[test]
    fn no_text_at_all_makes_it_panic(text in any::<String>()) {
        check_one(&text)?;
        check_one(&format!("https://{text}"))?;
    }
}

//! Which headers of a failure's answer the ledger keeps: those that say most about why, a few, and none that is a cookie or may hold
//! what a URL hides.

use std::collections::BTreeMap;

use crate::attempt::{excerpt, legible};
use crate::hidden::Hidden;

/// Headers of one answer.
pub const MOST_HEADERS: usize = 8;
/// Bytes of their names and values together.
pub const HEADER_BYTES: usize = 512;
/// Bytes of one value, so that a long one leaves room for others.
const VALUE_BYTES: usize = 128;
/// What of a value is read.
const READ_BYTES: usize = 1024;
/// A longer name is nobody's.
const NAME_BYTES: usize = 64;
/// Headers that are looked at for those few: each is searched for what must not be told.
const LOOKED_AT: usize = 24;

/// Those that tell most, the first of them before all others.
const TELLING: [&str; 13] = [
    "retry-after",
    "content-type",
    "server",
    "date",
    "x-request-id",
    "request-id",
    "x-correlation-id",
    "x-amzn-requestid",
    "x-amz-cf-id",
    "cf-ray",
    "www-authenticate",
    "allow",
    "via",
];

/// Those that are never kept: cookies are their owner's alone; a place may have in its query what is nobody's business, and
/// `redirect_to` has it without; and how the bytes were carried tells nothing.
const NEVER: [&str; 10] = [
    "set-cookie",
    "set-cookie2",
    "location",
    "content-location",
    "refresh",
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
];

/// What is kept of an answer's headers, by their names in lower case: the telling ones first, then as they came. Values of one name are
/// one, with commas between. Of a value that is no UTF-8 what can be read is kept, and nothing of what is hidden is told.
pub fn kept<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>, hidden: &Hidden) -> BTreeMap<String, String> {
    let mut came: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if name.len() > NAME_BYTES || NEVER.contains(&name.as_str()) {
            continue;
        }
        match came.iter_mut().find(|(known, _)| *known == name) {
            Some((_, before)) if before.len() > READ_BYTES => {}
            Some((_, before)) => {
                before.extend_from_slice(b", ");
                before.extend_from_slice(value);
            }
            None => came.push((name, value.to_vec())),
        }
    }
    came.sort_by_key(|(name, _)| TELLING.iter().position(|one| one == name).unwrap_or(TELLING.len()));
    let (mut kept, mut left) = (BTreeMap::new(), HEADER_BYTES);
    for (name, value) in came.into_iter().take(LOOKED_AT) {
        let told = told(&value, hidden);
        let bytes = name.len() + told.len();
        if kept.len() < MOST_HEADERS && bytes <= left && hidden.out_of(&name, true) == name {
            left -= bytes;
            kept.insert(name, told);
        }
    }
    kept
}

/// A value as it may be told: first searched, then cut.
fn told(value: &[u8], hidden: &Hidden) -> String {
    let read = &value[..value.len().min(READ_BYTES)];
    let told = hidden.out_of(&legible(read), read.len() == value.len());
    excerpt(&told, VALUE_BYTES).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::Secret;

    fn of(headers: &[(&str, &[u8])], hidden: &Hidden) -> Vec<(String, String)> {
        kept(headers.iter().copied(), hidden).into_iter().collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn what_tells_most_is_kept_and_no_cookie() {
        let mut answer: Vec<(String, &[u8])> = (0..20).map(|n| (format!("X-Made-{n:02}"), b"x".as_slice())).collect();
        for (name, value) in [
            ("Set-Cookie", b"session=1".as_slice()),
            ("set-cookie2", b"session=2"),
            ("Location", b"https://elsewhere.example/?token=1"),
            ("Content-Length", b"7"),
            ("Server", b"nginx"),
            ("Retry-After", b"120"),
        ] {
            answer.push((name.to_owned(), value));
        }
        let answer: Vec<(&str, &[u8])> = answer.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let made = (0..6).map(|n| pair(&format!("x-made-{n:02}"), "x"));
        let expected = [pair("retry-after", "120"), pair("server", "nginx")].into_iter().chain(made);
        assert_eq!(of(&answer, &Hidden::default()), expected.collect::<Vec<_>>());
        for name in NEVER.iter().map(|name| name.to_uppercase()) {
            assert_eq!(of(&[(&name, b"x")], &Hidden::default()), [], "{name}");
        }
        assert!(NEVER.contains(&"set-cookie") && NEVER.contains(&"set-cookie2") && NEVER.contains(&"location"));
    }

    #[test]
    fn values_of_one_name_are_one_and_what_is_no_text_is_made_legible() {
        let answer: [(&str, &[u8]); 4] =
            [("Via", b"1.1 a"), ("X-Odd", b"\xff\x1bok"), ("VIA", b"1.1 b"), ("x-void", b"")];
        let expected = [pair("via", "1.1 a, 1.1 b"), pair("x-odd", "\u{fffd}ok"), pair("x-void", "")];
        assert_eq!(of(&answer, &Hidden::default()), expected);
    }

    #[test]
    fn nothing_that_is_hidden_stands_in_a_value_or_a_name() {
        let hidden = Hidden::new(vec![Secret::stored("Bearer s3cr3t-T0ken".to_owned())], Vec::new());
        let long = format!("{}s3cr3t-T0", "x".repeat(READ_BYTES - 9));
        let whole = format!("{}s3cr3t-T0ken", "x".repeat(VALUE_BYTES - 4));
        let answer: [(&str, &[u8]); 4] = [
            ("www-authenticate", b"you sent Bearer s3cr3t-T0ken"),
            ("x-s3cr3t-t0ken", b"1"),
            ("x-long", long.as_bytes()),
            ("x-cut", whole.as_bytes()),
        ];
        let told = of(&answer, &hidden);
        assert_eq!(told.len(), 3, "{told:?}");
        let cut = &told[1].1;
        assert!(told[0].0 == "www-authenticate" && told[0].1 == "you sent ***", "{told:?}");
        assert!(!cut.contains("s3cr") && cut.len() <= VALUE_BYTES, "{told:?}");
        assert!(told.iter().all(|(_, value)| !value.contains("s3cr")), "{told:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn there_are_eight_at_the_most_and_512_bytes_of_them(
            answer in prop::collection::vec(("[A-Za-z-]{1,80}", prop::collection::vec(any::<u8>(), 0..300)), 0..60),
        ) {
            let headers = answer.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
            let kept = kept(headers, &Hidden::default());
            prop_assert!(kept.len() <= 8);
            prop_assert!(kept.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() <= 512);
            for name in kept.keys() {
                prop_assert!(answer.iter().any(|(came, _)| came.eq_ignore_ascii_case(name)) && *name == name.to_lowercase());
            }
        }
    }
}

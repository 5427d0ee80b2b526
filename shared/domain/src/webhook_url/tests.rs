//! The published vectors, and what they cannot say.

use super::*;
use crate::egress::PrivateTargets;

#[path = "../../../../tests/vectors/reader.rs"]
mod reader;

use reader::{LOOPBACK, WHEN_TAKEN, vectors};

/// What a refusal by each rule says.
const SAYS: [(&str, &[&str]); 26] = [
    ("unparsable", &["it cannot be parsed"]),
    ("scheme", &["its scheme is not https"]),
    ("slashes", &["exactly two slashes"]),
    ("userinfo", &["a user name or password"]),
    ("space", &["white space or a control character"]),
    ("backslash", &["a backslash"]),
    ("invisible", &["a character that cannot be seen"]),
    ("port", &["port 0"]),
    ("length", &["2048 characters at most"]),
    ("name", &["no name of the DNS"]),
    ("dotless", &["its host is refused: a public name has a dot"]),
    ("this-machine", &["its host is refused: it means this machine"]),
    ("private-name", &["its host is refused: it means a private network"]),
    ("other-zone", &["its host is refused: its zone holds no public receivers"]),
    ("metadata", &["is refused: it is a cloud's metadata service"]),
    ("loopback", &["its address is refused: it is loopback"]),
    ("this-host", &["its address is refused: it means this host"]),
    ("private", &["its address is refused: it is private"]),
    (
        "special",
        &[
            "link-local",
            "carrier",
            "protocols",
            "documentation",
            "AS112",
            "AMT",
            "6to4 relay",
            "benchmarks",
            "broadcast",
            "reserved",
            "discarded",
            "dummy",
            "6bone",
            "segment routing",
        ],
    ),
    ("multicast", &["its address is refused: it is multicast"]),
    ("embedded", &["its address is refused: it embeds an IPv4 address"]),
    ("not-global", &["its address is refused: it is not a global unicast address"]),
    ("notation", &["not written as four plain decimal numbers"]),
    ("fragment", &["it has a fragment"]),
    ("dots", &["its path holds a `.` or `..`"]),
    ("escapes", &["its path or query holds characters that are sent escaped"]),
];

fn parse(text: &str) -> Result<WebhookUrl, Invalid> {
    WebhookUrl::parse("url", text, &Egress::new(PrivateTargets::Refuse))
}

fn take(text: &str) -> Result<WebhookUrl, Invalid> {
    WebhookUrl::take("url", text, &Egress::new(PrivateTargets::Refuse))
}

#[test]
fn there_are_many_and_varied_vectors() {
    let (accepted, refused): (Vec<_>, Vec<_>) = vectors().into_iter().partition(|vector| vector.is_accepted);
    assert!(accepted.len() >= 50 && refused.len() >= 180, "{} and {}", accepted.len(), refused.len());
    for (rule, _) in SAYS {
        assert!(refused.iter().any(|vector| vector.rule == rule), "none for {rule}");
    }
}

#[test]
fn what_the_vectors_refuse_is_refused_by_its_rule() {
    for vector in vectors().iter().filter(|vector| !vector.is_accepted) {
        let error = take(&vector.url).expect_err(&format!("{vector:?}"));
        let (_, says) = SAYS.iter().find(|(rule, _)| *rule == vector.rule).unwrap_or_else(|| panic!("{vector:?}"));
        assert!(says.iter().any(|part| error.expected.contains(part)), "{vector:?}: {error}");
        assert_eq!(error.field, "url");
    }
}

#[test]
fn what_the_vectors_accept_is_accepted() {
    for vector in vectors().iter().filter(|vector| vector.is_accepted) {
        take(&vector.url).unwrap_or_else(|error| panic!("{vector:?}: {error}"));
    }
}

#[test]
fn what_was_taken_before_there_were_rules_for_new_ones_is_still_called() {
    for vector in vectors().iter().filter(|vector| WHEN_TAKEN.contains(&vector.rule)) {
        parse(&vector.url).unwrap_or_else(|error| panic!("{vector:?}: {error}"));
    }
}

#[test]
fn a_local_stack_lifts_loopback_and_nothing_else() {
    let local = Egress::new(PrivateTargets::AllowLoopback);
    for vector in vectors().iter().filter(|vector| !vector.is_accepted) {
        let accepted = WebhookUrl::parse("url", &vector.url, &local).is_ok();
        assert_eq!(accepted, LOOPBACK.contains(&vector.rule) || WHEN_TAKEN.contains(&vector.rule), "{vector:?}");
    }
}

#[test]
fn the_host_that_is_sent_to_has_one_spelling() {
    for (text, host) in [
        ("https://HTTPS.Example.COM/", "https.example.com"),
        ("https://example.com./", "example.com"),
        ("https://ex%61mple.com/", "example.com"),
        ("https://MÜNCHEN.example/", "xn--mnchen-3ya.example"),
        ("https://example。com/", "example.com"),
        ("https://134744072/", "8.8.8.8"),
        ("https://[2606:4700:4700:0:0:0:0:1111]/", "[2606:4700:4700::1111]"),
    ] {
        assert_eq!(parse(text).unwrap().as_url().host_str(), Some(host), "{text}");
    }
}

#[test]
fn what_is_accepted_is_called_to_the_letter() {
    for vector in vectors().iter().filter(|vector| vector.is_accepted) {
        let sent = take(&vector.url).unwrap();
        let line = match sent.as_url().query() {
            Some(query) => format!("{}?{query}", sent.as_url().path()),
            None => sent.as_url().path().to_owned(),
        };
        assert!(vector.url.ends_with(&line) || line == "/" || line.starts_with("/?"), "{vector:?}: {line}");
    }
}

#[test]
fn no_fragment_is_sent() {
    assert_eq!(parse("https://example.com/a?b#c").unwrap().as_url().as_str(), "https://example.com/a?b");
}

#[test]
fn what_the_operator_allows_is_accepted_in_every_notation() {
    let egress = Egress::new(PrivateTargets::Refuse).allowing("list", "10.20.0.0/16,fd12::/48").unwrap();
    for text in ["https://10.20.3.4/", "https://0x0a140304/", "https://10.20.772/", "https://[fd12::7]:8443/"] {
        assert!(WebhookUrl::parse("url", text, &egress).is_ok(), "{text}");
    }
    for text in ["https://10.21.0.1/", "https://[fd12:0:1::1]/", "https://[::ffff:10.20.3.4]/", "https://127.0.0.1/"] {
        assert!(WebhookUrl::parse("url", text, &egress).is_err(), "{text}");
    }
}

#[test]
fn what_the_operator_denies_is_refused_in_every_spelling() {
    let egress = Egress::new(PrivateTargets::Refuse).denying("list", "blocked.example, BÜCHER.example.,ru").unwrap();
    for text in [
        "https://blocked.example/",
        "https://BLOCKED.Example./",
        "https://a.b.blocked.example:8443/",
        "https://bl%6fcked.example/",
        "https://ｂｌｏｃｋｅｄ.example/",
        "https://bücher.example/",
        "https://xn--bcher-kva.example/",
        "https://www.example.ru/",
    ] {
        let error = WebhookUrl::parse("url", text, &egress).expect_err(text);
        assert!(error.expected.contains("denies its domain"), "{text}: {error}");
    }
    for text in
        ["https://notblocked.example/", "https://blocked.example.com/", "https://example/", "https://ru.example/"]
    {
        let denied = |error: Invalid| error.expected.contains("denies");
        assert!(!WebhookUrl::parse("url", text, &egress).is_err_and(denied), "{text}");
    }
}

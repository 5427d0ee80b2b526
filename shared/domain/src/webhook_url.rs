//! Webhook URLs: parsed once, and a `WebhookUrl` that exists is a good one.
//!
//! What can be known from the text alone is checked here, at creation and again before every attempt: a private address
//! is refused in whatever notation it is written, since the URL standard's parser normalises them all. What a name
//! resolves to is checked by whoever connects.

use std::net::IpAddr;

use url::{Host, Url};

use crate::egress::PrivateTargets;
use crate::invalid::Invalid;

const MAX_CHARS: usize = 2048;
/// Names that mean this machine or this network, by RFC 6761, RFC 6762, RFC 8375 and the clouds' custom.
const LOCAL_NAMES: [&str; 7] = ["local", "internal", "home.arpa", "lan", "intranet", "localdomain", "arpa"];
const LOCALHOST: &str = "localhost";

/// An HTTPS URL that may be sent to, as far as its text tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookUrl {
    url: Url,
}

/// Where a URL points before names are resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An address, which was checked.
    Address(IpAddr),
    /// A name and a port, to be resolved and checked.
    Name(String, u16),
}

impl WebhookUrl {
    /// Reads a URL; `field` names it in the error.
    ///
    /// # Errors
    /// [`Invalid`], naming the rule that it breaks.
    pub fn parse(field: &str, text: &str, private: PrivateTargets) -> Result<Self, Invalid> {
        let refuse = |rule: &str| Err(Invalid::new(field, format!("a public HTTPS URL; {rule}")));
        if text.len() > MAX_CHARS {
            return refuse(&format!("it may have {MAX_CHARS} characters at most"));
        }
        // Parsers drop or repair these silently, so the text that was checked would not be the text that was meant.
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return refuse("it holds white space, a control character or a backslash");
        }
        let Ok(mut url) = Url::parse(text) else { return refuse("it cannot be parsed") };
        if url.scheme() != "https" {
            return refuse("its scheme is not https");
        }
        if authority(text).is_empty() {
            return refuse("it lacks `//` and a host");
        }
        if url.port() == Some(0) {
            return refuse("nothing can listen on port 0");
        }
        if !url.username().is_empty() || url.password().is_some() || authority(text).contains('@') {
            return refuse("it carries a user name or password");
        }
        url.set_fragment(None);
        let parsed = Self { url };
        match parsed.target() {
            Target::Address(address) => match private.check(address) {
                Ok(()) => Ok(parsed),
                Err(why) => refuse(&format!("its address is refused: {why}")),
            },
            Target::Name(name, _) => match refuse_local(&name, private) {
                Ok(()) => Ok(parsed),
                Err(why) => refuse(&format!("its host is refused: {why}")),
            },
        }
    }

    /// What is sent to: the URL without its fragment.
    pub fn as_url(&self) -> &Url {
        &self.url
    }

    /// Where it points.
    pub fn target(&self) -> Target {
        let port = self.url.port_or_known_default().unwrap_or(443);
        match self.url.host() {
            Some(Host::Ipv4(v4)) => Target::Address(v4.into()),
            Some(Host::Ipv6(v6)) => Target::Address(v6.into()),
            Some(Host::Domain(name)) => Target::Name(name.to_owned(), port),
            None => Target::Name(String::new(), port),
        }
    }
}

/// What stands between `//` and the path in the raw text.
fn authority(text: &str) -> &str {
    let rest = text.split_once("//").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

fn refuse_local(name: &str, private: PrivateTargets) -> Result<(), &'static str> {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let under = |zone: &str| name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'));
    if under(LOCALHOST) {
        return match private {
            PrivateTargets::AllowLoopback => Ok(()),
            PrivateTargets::Refuse => Err("it means this machine"),
        };
    }
    if name.is_empty() || name.split('.').any(str::is_empty) {
        return Err("it has an empty label");
    }
    if LOCAL_NAMES.into_iter().any(under) {
        return Err("it means a private network");
    }
    if !name.contains('.') {
        return Err("a public name has a dot");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<WebhookUrl, Invalid> {
        WebhookUrl::parse("url", text, PrivateTargets::Refuse)
    }

    #[test]
    fn public_https_urls_are_accepted() {
        for text in [
            "https://your-app.com/webhooks/nur",
            "https://example.com:8443/a?b=c",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/x",
            "https://münchen.example/",
            "https://example.com./",
        ] {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
        }
    }

    #[test]
    fn all_else_is_refused_with_its_rule() {
        for (text, rule) in [
            ("http://example.com/", "scheme"),
            ("ftp://example.com/", "scheme"),
            ("example.com", "parsed"),
            ("https://", "parsed"),
            ("https:example.com", "host"),
            ("https:///example.com/", "host"),
            ("https://example.com:0/", "port 0"),
            ("https://user:pw@example.com/", "user name"),
            ("https://@example.com/", "user name"),
            ("https://127.0.0.1/", "loopback"),
            ("https://2130706433/", "loopback"),
            ("https://0x7f.1/", "loopback"),
            ("https://0177.0.0.1/", "loopback"),
            ("https://127.1/", "loopback"),
            ("https://%31%32%37.0.0.1/", "loopback"),
            ("https://127.0.0.1./", "loopback"),
            ("https://[::1]/", "global unicast"),
            ("https://[::ffff:10.0.0.1]/", "global unicast"),
            ("https://10.1.2.3/", "private"),
            ("https://169.254.169.254/latest/meta-data", "link-local"),
            ("https://localhost/", "this machine"),
            ("https://LOCALHOST./", "this machine"),
            ("https://a.localhost/", "this machine"),
            ("https://metadata.google.internal/", "private network"),
            ("https://printer.local/", "private network"),
            ("https://intranet/", "private network"),
            ("https://server/", "dot"),
            ("https://a..example.com/", "empty label"),
            ("https://exa mple.com/", "white space"),
            ("https://example.com/\n", "white space"),
            ("https:\\\\example.com", "backslash"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.expected.contains(rule), "{text}: {error}");
        }
        assert!(parse(&format!("https://example.com/{}", "a".repeat(2048))).is_err());
    }

    #[test]
    fn a_local_stack_takes_loopback_in_both_forms() {
        for text in ["https://127.0.0.1:8443/", "https://localhost:8443/", "https://[::1]/"] {
            assert!(WebhookUrl::parse("url", text, PrivateTargets::AllowLoopback).is_ok(), "{text}");
        }
        assert!(WebhookUrl::parse("url", "https://10.0.0.1/", PrivateTargets::AllowLoopback).is_err());
    }

    #[test]
    fn no_fragment_is_sent() {
        assert_eq!(parse("https://example.com/a?b#c").unwrap().as_url().as_str(), "https://example.com/a?b");
    }
}

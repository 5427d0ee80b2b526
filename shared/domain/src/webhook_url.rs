//! Webhook URLs: parsed once, and a `WebhookUrl` that exists is a good one.
//!
//! What can be known from the text alone is checked here, at creation and again before every attempt: a private address
//! is refused in whatever notation it is written, since the URL standard's parser normalises them all. What that parser
//! would repair is refused, so that the text a person reads and the host that is connected to are the same. What a name
//! resolves to is checked by whoever connects.
//!
//! A new URL is held to more than one that is sent to: see [`WebhookUrl::take`].

mod plain;
pub(crate) mod raw;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::net::IpAddr;

use url::{Host, SyntaxViolation, Url};

use crate::egress::{self, Egress};
use crate::invalid::Invalid;

/// Of a webhook's URL.
pub const MAX_CHARS: usize = 2048;

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
    pub fn parse(field: &str, text: &str, egress: &Egress) -> Result<Self, Invalid> {
        Self::read(text, egress).map_err(|rule| Invalid::new(field, format!("a public HTTPS URL; {rule}")))
    }

    /// Takes a new URL: one that [`WebhookUrl::parse`] reads, and that is called as it is written. What was taken before
    /// there were these rules goes on being sent to.
    ///
    /// # Errors
    /// [`Invalid`], naming the rule that it breaks.
    pub fn take(field: &str, text: &str, egress: &Egress) -> Result<Self, Invalid> {
        let url = Self::parse(field, text, egress)?;
        plain::check(text, &url.url, &url.target())
            .map_err(|rule| Invalid::new(field, format!("a public HTTPS URL; {rule}")))?;
        Ok(url)
    }

    fn read(text: &str, egress: &Egress) -> Result<Self, String> {
        let too_long = || format!("it may have {MAX_CHARS} characters at most");
        if text.chars().count() > MAX_CHARS {
            return Err(too_long());
        }
        raw::check(text)?;
        let (mut url, mended) = parse_unrepaired(text, rule_against)?;
        if url.scheme() != "https" {
            return Err("its scheme is not https".to_owned());
        }
        mended.map_or(Ok(()), |rule| Err(rule.to_owned()))?;
        if url.port() == Some(0) {
            return Err("nothing can listen on port 0".to_owned());
        }
        url.set_fragment(None);
        drop_final_dot(&mut url)?;
        // Non-ASCII text is written with more characters than it has.
        if url.as_str().len() > MAX_CHARS {
            return Err(too_long());
        }
        let parsed = Self { url };
        match parsed.target() {
            Target::Address(address) => {
                egress.check_address(address).map_err(|why| format!("its address is refused: {why}"))?;
            }
            Target::Name(name, _) => {
                egress::check_letters(&name).map_err(|why| format!("its host is no name of the DNS: {why}"))?;
                egress.check_name(&name).map_err(|why| format!("its host is refused: {why}"))?;
            }
        }
        Ok(parsed)
    }

    /// What is sent to: the URL without its fragment, its host in ASCII and without a final dot.
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

/// Which of a parser's repairs are refused, and in which words.
pub(crate) type Rules = fn(SyntaxViolation) -> Option<&'static str>;

/// A URL as the parser read it, and the first rule that it breaks of those that `rule_against` has for what the parser mended.
pub(crate) fn parse_unrepaired(text: &str, rule_against: Rules) -> Result<(Url, Option<&'static str>), String> {
    let mended = Cell::new(None);
    let note = |violation| {
        if let Some(rule) = rule_against(violation)
            && mended.get().is_none()
        {
            mended.set(Some(rule));
        }
    };
    let url = Url::options().syntax_violation_callback(Some(&note)).parse(text);
    let url = url.map_err(|why| format!("it cannot be parsed: {why}"))?;
    Ok((url, mended.get()))
}

/// Which repairs are refused: those after which the URL means something else.
pub(crate) fn rule_against(violation: SyntaxViolation) -> Option<&'static str> {
    use SyntaxViolation as V;
    match violation {
        // `|`, `[`, `{` or a lone `%` in a path or query: escaped or sent as they are, to the same host.
        V::NonUrlCodePoint | V::PercentDecode | V::NullInFragment => None,
        V::EmbeddedCredentials | V::UnencodedAtSign => Some("it carries a user name or password"),
        V::ExpectedDoubleSlash => Some("exactly two slashes must stand before its host"),
        _ => Some("it is malformed, and parsers would disagree about it"),
    }
}

/// The final dot of a fully qualified name is for resolvers; certificates and receivers know the name without it.
fn drop_final_dot(url: &mut Url) -> Result<(), String> {
    let Some(name) = url.domain().and_then(|name| name.strip_suffix('.')).map(str::to_owned) else { return Ok(()) };
    // Two dots are no final dot, and without one of them digits would become an address.
    if name.ends_with('.') {
        return Ok(());
    }
    url.set_host(Some(&name)).map_err(|why| format!("it cannot be parsed: {why}"))
}

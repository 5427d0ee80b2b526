//! URLs of the web that are passed on and never called from here: what a job is about, and where its result lies.
//!
//! Whoever reads them next has a parser of his own, so a URL is taken only if it is one as it is written: what the URL
//! standard's parser makes one by mending it (blanks, backslashes, missing slashes) others refuse, or read as another place.

use url::{SyntaxViolation, Url};

use crate::invalid::Invalid;
use crate::webhook_url::{parse_unrepaired, raw, rule_against};

/// Of a URL.
pub const MAX_CHARS: usize = 2048;

/// Reads an http or https URL; `field` names it in the error. Whether it can be reached is for whoever calls it to find out.
///
/// # Errors
/// [`Invalid`], naming the rule that it breaks.
pub fn read(field: &str, text: &str) -> Result<Url, Invalid> {
    check(text).map_err(|rule| Invalid::new(field, format!("an http or https URL; {rule}")))
}

fn check(text: &str) -> Result<Url, String> {
    if text.chars().count() > MAX_CHARS {
        return Err(format!("it may have {MAX_CHARS} characters at most"));
    }
    raw::check(text)?;
    let (url, mended) = parse_unrepaired(text, or_credentials)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("its scheme is neither".to_owned());
    }
    mended.map_or(Ok(url), |rule| Err(rule.to_owned()))
}

/// As for webhooks, but for a user name: whoever is told of the URL is to call it with all that it has.
fn or_credentials(violation: SyntaxViolation) -> Option<&'static str> {
    if violation == SyntaxViolation::EmbeddedCredentials { None } else { rule_against(violation) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_one_as_it_is_written() {
        for good in [
            "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=1#t=30",
            "http://shop.example",
            "HTTPS://Shop.Example:8443/größe/{id}|x?q='a'",
            "https://localhost/a/../b",
            "https://10.0.0.1/100%",
            "https://[::1]/",
            "https://user:pw@shop.example/",
        ] {
            assert!(read("url", good).is_ok(), "{good}: {:?}", read("url", good));
        }
        assert!(read("url", &format!("https://a.example/{}", "é".repeat(2030))).is_ok());
        for bad in [
            "",
            "a",
            "shop.example/x",
            "//shop.example/",
            "ftp://shop.example/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/plain,x",
            " https://shop.example/",
            "https://shop.example/ ",
            "\u{a0}https://shop.example/",
            "\thttps://shop.example/",
            "https://shop.example/a b",
            "https://shop.example/a\tb",
            "https://shop.example/a\nb",
            "ht\ntps://shop.example/",
            "https://shop.example/\0",
            "https://shop.example/\u{200b}",
            "https://sh\u{ad}op.example/",
            "https:shop.example",
            "https:/shop.example/",
            "https:///shop.example/",
            "https:////shop.example/",
            "https:\\\\shop.example\\x",
            "https://shop.example\\x",
            "https://shop.example/a\\b",
            "https://a@b@shop.example/",
            "https://",
            "https:///",
            "https://%20/",
        ] {
            assert_eq!(read("urls[1]", bad).unwrap_err().field, "urls[1]", "{bad:?}");
        }
        assert!(read("url", &format!("https://a.example/{}", "x".repeat(2048))).is_err());
    }
}

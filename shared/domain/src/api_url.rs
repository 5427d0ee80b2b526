//! Where the API is, for whoever is sent there or calls it from outside: as the template says it.

use url::{Host, Url};

/// In words for an error.
pub const EXPECTED: &str = "an https URL without a slash at its end, or an http URL of this machine";

/// Reads it. Keys, links and sessions go over that wire, so nobody else may read what goes there: it is TLS, or does not leave this machine.
pub fn parse(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_here = match url.host()? {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let is_private = url.scheme() == "https" || (url.scheme() == "http" && is_here);
    (is_private && !text.ends_with('/')).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_there_is_read_by_nobody_on_its_way() {
        for good in [
            "https://hooks.example.com",
            "https://hooks.example.com/a/b",
            "http://127.0.0.1:4566/_aws/x/$default",
            "http://[::1]:4566",
            "http://localhost:4566",
            "http://x.execute-api.localhost:4566",
        ] {
            assert_eq!(parse(good), Url::parse(good).ok(), "{good}");
        }
        for bad in [
            "hooks.example.com",
            "https://hooks.example.com/",
            "http://hooks.example.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "ftp://localhost",
            "data:text/html,x",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}

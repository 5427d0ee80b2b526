//! Whose site a URL is of, in a word: `youtube` for `www.youtube.com`, `bbc` for `www.bbc.co.uk`.

use url::{Host, Url};

/// Domains that sites shorten their own links with.
const SHORT: [(&str, &str); 8] = [
    ("dai.ly", "dailymotion"),
    ("fb.watch", "facebook"),
    ("instagr.am", "instagram"),
    ("lnkd.in", "linkedin"),
    ("pin.it", "pinterest"),
    ("redd.it", "reddit"),
    ("spoti.fi", "spotify"),
    ("youtu.be", "youtube"),
];

/// The site's name, without what it is registered under (the Public Suffix List says what that is). An address is no site.
pub(crate) fn platform_of(url: &Url) -> Option<String> {
    let Some(Host::Domain(host)) = url.host() else { return None };
    let host = host.trim_end_matches('.');
    let domain = match psl::domain_str(host) {
        Some(domain) => domain,
        // Nothing is registered under it: it is what sites are registered under, or a name of somebody's own network.
        None if psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known()) => return None,
        None => host,
    };
    if let Some((_, site)) = SHORT.iter().find(|(short, _)| *short == domain) {
        return Some((*site).to_owned());
    }
    domain.split('.').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_the_sites_own_name() {
        for (host, platform) in [
            ("www.youtube.com", Some("youtube")),
            ("m.youtube.com.", Some("youtube")),
            ("youtu.be", Some("youtube")),
            ("vimeo.com", Some("vimeo")),
            ("www.bbc.co.uk", Some("bbc")),
            ("vm.tiktok.com", Some("tiktok")),
            ("shop.example.com.au", Some("example")),
            ("müller.de", Some("xn--mller-kva")),
            ("localhost", Some("localhost")),
            ("co.uk", None),
            ("com", None),
            ("de.", None),
            ("github.io", None),
            ("shop.github.io", Some("shop")),
            ("93.184.215.14", None),
            ("[2606:4700::1111]", None),
        ] {
            let url = Url::parse(&format!("https://{host}/watch")).unwrap();
            assert_eq!(platform_of(&url).as_deref(), platform, "{host}");
        }
    }
}

//! What projects are called until a worker knows better: their URL's host and which variant they are, no two alike.

use std::collections::HashMap;

use url::Url;

/// The titles of a job's projects: every URL's, variant by variant. URLs of one host are numbered.
pub(crate) fn titles(urls: &[Url], variants: u8) -> Vec<String> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut titles = Vec::new();
    for host in urls.iter().map(|url| url.host_str().unwrap_or_default()) {
        let number = seen.entry(host).and_modify(|number| *number += 1).or_insert(1);
        let name = if *number == 1 { host.to_owned() } else { format!("{host} ({number})") };
        titles.extend((1..=variants).map(|variant| format!("{name} - Variant {variant}")));
    }
    titles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_titles_are_alike() {
        let urls = ["https://a.example/x", "https://b.example/x", "https://a.example/y"];
        let urls: Vec<Url> = urls.iter().map(|url| Url::parse(url).unwrap()).collect();
        assert_eq!(titles(&urls[..1], 2), ["a.example - Variant 1", "a.example - Variant 2"]);
        assert_eq!(titles(&urls, 1), ["a.example - Variant 1", "b.example - Variant 1", "a.example (2) - Variant 1"]);
        let mut all = titles(&urls, 3);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 9);
    }
}

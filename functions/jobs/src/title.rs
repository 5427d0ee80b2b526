//! What projects are called until a worker knows better: `Protein Powder Ad - Variant 1`, no two of a job alike.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use url::Url;

const MAX_NAME_CHARS: usize = 64;

/// The titles of a job's projects: every URL's, variant by variant.
pub(crate) fn titles(urls: &[Url], variants: u8) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let names = urls.iter().map(|url| {
        let name = name_of(url);
        let count = seen.entry(name.to_lowercase()).and_modify(|count| *count += 1).or_insert(1);
        if *count == 1 { format!("{name} Ad") } else { format!("{name} Ad ({count})") }
    });
    names.flat_map(|name| (1..=variants).map(move |variant| format!("{name} - Variant {variant}"))).collect()
}

/// The last part of the path in words, or the host where there is none to read.
fn name_of(url: &Url) -> String {
    let last = url.path_segments().and_then(|mut parts| parts.rfind(|part| !part.is_empty()));
    let last = percent_decode_str(last.unwrap_or_default()).decode_utf8_lossy().into_owned();
    let words = last.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(capitalised);
    let name: String = words.collect::<Vec<_>>().join(" ").chars().take(MAX_NAME_CHARS).collect();
    if name.is_empty() { url.host_str().unwrap_or_default().to_owned() } else { name }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(urls: &[&str], variants: u8) -> Vec<String> {
        titles(&urls.iter().map(|url| Url::parse(url).unwrap()).collect::<Vec<_>>(), variants)
    }

    #[test]
    fn a_title_is_made_of_the_url() {
        let page = "https://example.com/products/protein-powder";
        assert_eq!(of(&[page], 2), ["Protein Powder Ad - Variant 1", "Protein Powder Ad - Variant 2"]);
        for (url, title) in [
            ("https://example.com", "example.com Ad - Variant 1"),
            ("https://example.com/a/b/?x=1#y", "B Ad - Variant 1"),
            ("https://example.com/%C3%A9t%C3%A9_2026", "Été 2026 Ad - Variant 1"),
            ("https://example.com/---", "example.com Ad - Variant 1"),
        ] {
            assert_eq!(of(&[url], 1), [title]);
        }
    }

    #[test]
    fn no_two_are_alike() {
        let urls = ["https://a.example/x", "https://b.example/x", "https://a.example/X?again"];
        let mut titles = of(&urls, 3);
        assert_eq!(titles.len(), 9);
        titles.sort();
        titles.dedup();
        assert_eq!(titles.len(), 9);
    }
}

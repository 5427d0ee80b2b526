//! Reads `urls.tsv`. Included by the tests of each crate that holds its code to the vectors.

/// One line: a URL, and what becomes of it.
#[derive(Debug)]
pub(crate) struct Vector {
    pub(crate) is_accepted: bool,
    pub(crate) url: String,
    /// The rule that refuses it, or what is worth knowing about one that is accepted.
    pub(crate) rule: &'static str,
}

/// All of them, in the file's order.
pub(crate) fn vectors() -> Vec<Vector> {
    include_str!("urls.tsv").lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(read).collect()
}

/// Rules for the moment at which a URL is given; one that is there already is called all the same.
pub(crate) const WHEN_TAKEN: [&str; 4] = ["notation", "fragment", "dots", "escapes"];

/// Rules that a stack lifts where loopback is allowed.
pub(crate) const LOOPBACK: [&str; 2] = ["loopback", "this-machine"];

fn read(line: &'static str) -> Vector {
    let [verdict, url, rule] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("three columns: {line}") };
    assert!(["accepted", "refused"].contains(&verdict), "{line}");
    Vector { is_accepted: verdict == "accepted", url: unescape(url), rule }
}

/// `\u{HEX}` is a code point, `\{TEXT*COUNT}` a repetition and `\\` a backslash.
fn unescape(written: &str) -> String {
    let (mut text, mut rest) = (String::new(), written);
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        if let Some(after) = after.strip_prefix('\\') {
            text.push('\\');
            rest = after;
            continue;
        }
        let (escape, after) = after.split_once('}').unwrap_or_else(|| panic!("an escape without an end: {written}"));
        match (escape.strip_prefix("u{"), escape.strip_prefix('{').and_then(|repeat| repeat.split_once('*'))) {
            (Some(hex), _) => text.push(u32::from_str_radix(hex, 16).ok().and_then(char::from_u32).expect(written)),
            (None, Some((part, count))) => text.push_str(&part.repeat(count.parse().expect(written))),
            (None, None) => panic!("an unknown escape: {written}"),
        }
        rest = after;
    }
    text + rest
}

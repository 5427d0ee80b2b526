//! What no record of an attempt shows: the header values and the secrets that a request was made with. A receiver may answer with any
//! of it, so whatever he says is read past them.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::secret::Secret;

/// What stands in the place of what is not shown.
pub const MASK: &str = "***";
/// What is shorter is no secret, and would be taken out of words that have nothing to do with it.
const SHORTEST: usize = 8;

/// Texts that are taken out of what a receiver says. It is cheap to have: only what fails is read.
#[derive(Debug, Default)]
pub struct Hidden {
    headers: Vec<Secret>,
    secrets: Vec<Secret>,
}

impl Hidden {
    /// Hides these header values, and the parts of them that white space separates; and these signing secrets, with and without what
    /// stands before their last `_`.
    pub fn new(headers: Vec<Secret>, secrets: Vec<Secret>) -> Self {
        Self { headers, secrets }
    }

    /// The text with [`MASK`] in place of each that stands in it: as it is, in capitals or not, or escaped once as JSON, HTML or a URL
    /// has it. Of a text that is not whole, since it was cut, the end goes too where it begins one of them.
    pub fn out_of(&self, text: &str, is_whole: bool) -> String {
        let needles = self.needles();
        if needles.is_empty() {
            return text.to_owned();
        }
        let (plain, decoded) = (Reading::plain(text), Reading::decoded(text));
        let mut spans: Vec<Range<usize>> = plain.found(&needles).chain(decoded.found(&needles)).collect();
        let least = if is_whole { SHORTEST } else { 1 };
        let cut_in_an_escape = escapes_at_the_end(text).filter(|_| !is_whole).map(|at| Reading::decoded(&text[..at]));
        let ends = [plain, decoded].into_iter().chain(cut_in_an_escape);
        let begun = ends.filter_map(|reading| reading.begun_at_the_end(&needles, least)).min();
        spans.extend(begun.map(|start| start..text.len()));
        masked(text, spans)
    }

    /// What is looked for, in lower case, each once.
    fn needles(&self) -> Vec<Zeroizing<Vec<u8>>> {
        let values = self.headers.iter().map(Secret::expose);
        let parts = values.clone().flat_map(str::split_ascii_whitespace);
        let secrets = self.secrets.iter().map(Secret::expose);
        let keys = secrets.clone().filter_map(|secret| Some(secret.rsplit_once('_')?.1));
        let all = values.chain(parts).chain(secrets).chain(keys).filter(|text| text.len() >= SHORTEST);
        let mut needles: Vec<_> = all.map(|text| Zeroizing::new(text.to_ascii_lowercase().into_bytes())).collect();
        needles.sort_by(|one, other| one.as_slice().cmp(other));
        needles.dedup();
        needles
    }
}

/// A text as somebody may have meant it: its bytes in lower case, and where in the text each of them begins; the text's end last.
struct Reading {
    bytes: Zeroizing<Vec<u8>>,
    places: Vec<usize>,
}

impl Reading {
    fn plain(text: &str) -> Self {
        Self { bytes: Zeroizing::new(text.to_ascii_lowercase().into_bytes()), places: (0..=text.len()).collect() }
    }

    fn decoded(text: &str) -> Self {
        let (mut bytes, mut places, mut at) = (Zeroizing::new(Vec::with_capacity(text.len())), Vec::new(), 0);
        while let Some(first) = text.as_bytes().get(at) {
            let (byte, length) = escaped(&text.as_bytes()[at..]).unwrap_or((*first, 1));
            bytes.push(byte.to_ascii_lowercase());
            places.push(at);
            at += length;
        }
        places.push(text.len());
        Self { bytes, places }
    }

    fn span(&self, found: Range<usize>) -> Range<usize> {
        self.places[found.start]..self.places[found.end]
    }

    /// Where any of them stands. All are as long as a window, which finds the few that begin with it.
    fn found<'a>(&'a self, needles: &'a [Zeroizing<Vec<u8>>]) -> impl Iterator<Item = Range<usize>> + 'a {
        self.bytes.windows(SHORTEST).enumerate().filter_map(move |(at, window)| {
            let first = needles.partition_point(|needle| &needle[..SHORTEST] < window);
            let begin_so = needles[first..].iter().take_while(|needle| needle.starts_with(window));
            let longest =
                begin_so.filter(|needle| self.bytes[at..].starts_with(needle)).map(|needle| needle.len()).max();
            longest.map(|length| self.span(at..at + length))
        })
    }

    /// Where the end begins of which at least so many bytes begin one of them that the text has no room for.
    fn begun_at_the_end(&self, needles: &[Zeroizing<Vec<u8>>], least: usize) -> Option<usize> {
        let end = self.bytes.len();
        let of = |needle: &Zeroizing<Vec<u8>>| {
            let most = (needle.len() - 1).min(end);
            (least..=most).rev().find(|length| self.bytes.ends_with(&needle[..*length]))
        };
        needles.iter().filter_map(of).max().map(|length| self.places[end - length])
    }
}

/// The one ASCII character that is escaped at the beginning of this text, and in how many bytes.
fn escaped(text: &[u8]) -> Option<(u8, usize)> {
    let code = |digits: &[u8], radix| {
        let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?;
        u8::try_from(code).ok().filter(u8::is_ascii)
    };
    match text {
        [b'%', high, low, ..] => Some((code(&[*high, *low], 16)?, 3)),
        [b'\\', b'u', digits @ ..] => Some((code(digits.get(..4)?, 16)?, 6)),
        [b'\\', b't', ..] => Some((b'\t', 2)),
        [b'\\', byte @ (b'"' | b'\\' | b'/' | b'\''), ..] => Some((*byte, 2)),
        [b'&', rest @ ..] => {
            // The longest is `&#x0027;` or so.
            let length = rest.iter().take(8).position(|byte| *byte == b';')?;
            let byte = match &rest[..length] {
                b"amp" => b'&',
                b"lt" => b'<',
                b"gt" => b'>',
                b"quot" => b'"',
                b"apos" => b'\'',
                [b'#', b'x' | b'X', digits @ ..] => code(digits, 16)?,
                [b'#', digits @ ..] => code(digits, 10)?,
                _ => return None,
            };
            Some((byte, length + 2))
        }
        _ => None,
    }
}

/// Where an escape may have begun that is not all there.
fn escapes_at_the_end(text: &str) -> impl Iterator<Item = usize> {
    let begins =
        |(at, byte): &(usize, u8)| matches!((byte, text.len() - at), (b'%', ..=2) | (b'\\', ..=5) | (b'&', ..=9));
    let found: Vec<_> = text.bytes().enumerate().filter(begins).collect();
    found.into_iter().map(|(at, _)| at)
}

/// The text with each run of these spans masked once.
fn masked(text: &str, mut spans: Vec<Range<usize>>) -> String {
    spans.sort_by_key(|span| span.start);
    let (mut masked, mut at) = (String::with_capacity(text.len()), 0);
    for span in spans {
        if span.start > at || masked.is_empty() {
            masked.push_str(text.get(at..span.start).unwrap_or_default());
            masked.push_str(MASK);
        }
        at = at.max(span.end);
    }
    masked.push_str(text.get(at..).unwrap_or_default());
    masked
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "Bearer s3cr3t/T0ken+\"canary\"&<1>";

    fn hidden(headers: &[&str], secrets: &[&str]) -> Hidden {
        let all = |texts: &[&str]| texts.iter().map(|text| Secret::stored((*text).to_owned())).collect();
        Hidden::new(all(headers), all(secrets))
    }

    #[test]
    fn a_value_goes_wherever_it_stands_and_however_it_is_written() {
        let hidden = hidden(&[TOKEN], &[]);
        for (said, told) in [
            (format!("you sent {TOKEN}, which is wrong"), "you sent ***, which is wrong"),
            (TOKEN.to_uppercase(), "***"),
            (format!("{TOKEN}{TOKEN} {TOKEN}"), "*** ***"),
            (r#"{"authorization":"Bearer s3cr3t\/T0ken+\"canary\"&<1>"}"#.to_owned(), r#"{"authorization":"***"}"#),
            (r#"{"token": "s3cr3t/T0ken+\u0022canary\u0022\u0026\u003c1\u003E"}"#.to_owned(), r#"{"token": "***"}"#),
            ("<p>Bearer s3cr3t/T0ken+&quot;canary&#34;&amp;&lt;1&#x3e;</p>".to_owned(), "<p>***</p>"),
            ("/at?t=s3cr3t%2FT0ken%2B%22canary%22%26%3c1%3E&u=1".to_owned(), "/at?t=***&u=1"),
            ("a bearer of news, a token: s3cr3t".to_owned(), "a bearer of news, a token: s3cr3t"),
        ] {
            assert_eq!(hidden.out_of(&said, true), told, "{said}");
        }
    }

    #[test]
    fn what_is_escaped_in_the_value_itself_is_found_as_it_is() {
        assert_eq!(hidden(&["token%41%42&lt;\\n"], &[]).out_of("got token%41%42&lt;\\n.", true), "got ***.");
    }

    #[test]
    fn a_secret_goes_with_its_prefix_or_without() {
        let hidden = hidden(&[], &["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "your signing secret"]);
        let said = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw; your signing secret: your secret";
        assert_eq!(hidden.out_of(said, true), "***, ***; ***: your secret");
    }

    #[test]
    fn what_is_short_is_no_secret() {
        let hidden = hidden(&["billing", "a of billings"], &[]);
        assert_eq!(hidden.out_of("billing of billing", true), "billing of billing");
        assert_eq!(hidden.out_of("billings of it", true), "*** of it");
    }

    #[test]
    fn no_beginning_survives_at_a_cut() {
        let hidden = hidden(&[TOKEN], &[]);
        for cut in 1..TOKEN.len() {
            assert_eq!(hidden.out_of(&format!("got: {}", &TOKEN[..cut]), false), "got: ***", "{cut}");
        }
        for cut in ["%2FT0ken%", "%2FT0ken%2", "\\", "\\/T0ken+\\u002", "/T0ken%2B&quo", "/T0ken+&#x0022"] {
            assert_eq!(hidden.out_of(&format!("got: Bearer s3cr3t{cut}"), false), "got: ***", "{cut}");
        }
        assert_eq!(hidden.out_of("100 % & 5 \\", false), "100 % & 5 \\");
        assert_eq!(hidden.out_of("the rub", true), "the rub", "of what is whole a letter says nothing");
        assert_eq!(hidden.out_of("got: Bearer s3", true), "got: ***", "and somebody else may have cut it");
    }

    #[test]
    fn nobody_hides_nothing() {
        assert_eq!(Hidden::default().out_of("%41 \\u0041 é&amp;", false), "%41 \\u0041 é&amp;");
        assert_eq!(hidden(&[TOKEN], &[]).out_of("", false), "");
    }

    /// The largest values that there are, made to be slow, in an answer that is made to be slow with them.
    #[test]
    fn the_worst_values_cost_little() {
        let parts: Vec<String> = (0..450).map(|n| format!("aaaaaaaa{n}")).collect();
        let (first, second) = (parts.join(" "), "a".repeat(4096));
        let hidden = hidden(&[&first[..4096.min(first.len())], &second], &[]);
        let said = "a".repeat(4095);
        let told = hidden.out_of(&said, false);
        assert_eq!(told, "***");
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof!["[!-~]{8,40}", "[ab]{8,20}", "[!-~]{8,12} [!-~]{8,12}", "[a-c%&;\\\\u0-2]{8,16}"]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever is around it, however it is cut: no value stands in what is told, and none of its parts.
        #[test]
        fn nothing_that_is_hidden_is_told(
            values in prop::collection::vec(value(), 1..4),
            around in prop::collection::vec("[ -~é]{0,12}", 5),
            cut in 0..200_usize,
        ) {
            let list: Vec<&str> = values.iter().map(String::as_str).collect();
            let hidden = hidden(&list, &[]);
            let mut said = around[0].clone();
            for (value, around) in values.iter().zip(&around[1..]) {
                said += value;
                said += around;
            }
            let whole = hidden.out_of(&said, true).to_ascii_lowercase();
            let edge = (0..=cut.min(said.len())).rev().find(|at| said.is_char_boundary(*at)).unwrap_or_default();
            let part = hidden.out_of(&said[..edge], false).to_ascii_lowercase();
            for value in values.iter().flat_map(|value| value.split(' ').chain([value.as_str()])) {
                let value = value.to_ascii_lowercase();
                // Masks may stand where a value has stars.
                prop_assert!(value.contains('*') || !whole.contains(&value), "{value:?} in {whole:?}");
                prop_assert!(value.contains('*') || !part.contains(&value), "{value:?} in {part:?}");
                let beginning = (1..value.len()).rev().find(|end| part.ends_with(&value[..*end]));
                prop_assert!(beginning.is_none() || value.starts_with('*') , "{value:?} begins at the end of {part:?}");
            }
        }
    }
}

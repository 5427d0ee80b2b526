//! A body as it came, from what a form makes of it.
//!
//! A browser sends every line end of a text as CRLF, and what is copied often gains one at its end. So what was received is one of a few
//! texts, which are tried one after another; whoever wants to be sure gives it in base64.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// What a text differs in from what was pasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// In nothing that can be seen: its line ends are plain ones, if it has any.
    Nothing,
    /// Its lines end with CR and LF.
    CarriageReturns,
    /// The line end at its end is left off.
    NoLastLineEnd,
}

/// A text that may have been received, and what is to be told if it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guess {
    pub(crate) text: String,
    pub(crate) told: Told,
}

/// What may have been received where this came with a form, the likeliest first, none twice.
pub(crate) fn guesses(pasted: &str) -> Vec<Guess> {
    let plain = pasted.replace("\r\n", "\n");
    let with_returns = |text: &str| text.replace('\n', "\r\n");
    let short = plain.trim_end_matches('\n').to_owned();
    let mut all = vec![Guess { text: plain.clone(), told: Told::Nothing }];
    for (text, told) in [
        (with_returns(&plain), Told::CarriageReturns),
        (short.clone(), Told::NoLastLineEnd),
        (with_returns(&short), Told::NoLastLineEnd),
    ] {
        if all.iter().all(|known| known.text != text) {
            all.push(Guess { text, told });
        }
    }
    all
}

/// What base64 stands for, in either alphabet, broken into lines or not; nothing where it is none, or no UTF-8.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|char| !char.is_whitespace()).collect();
    let padded =
        format!("{}{}", text.trim_end_matches('='), "=".repeat((4 - text.trim_end_matches('=').len() % 4) % 4));
    let bytes = STANDARD.decode(&padded).or_else(|_| URL_SAFE.decode(&padded)).ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pasted: &str) -> Vec<(String, Told)> {
        guesses(pasted).into_iter().map(|guess| (guess.text, guess.told)).collect()
    }

    #[test]
    fn a_body_in_one_line_is_what_it_is() {
        assert_eq!(texts(r#"{"a":1}"#), [(r#"{"a":1}"#.to_owned(), Told::Nothing)]);
        assert_eq!(texts(""), [(String::new(), Told::Nothing)]);
    }

    #[test]
    fn what_a_browser_does_to_line_ends_is_undone_in_every_way() {
        let of = |all: &[(&str, Told)]| all.iter().map(|(text, told)| ((*text).to_owned(), *told)).collect::<Vec<_>>();
        let lines = [("{\n}", Told::Nothing), ("{\r\n}", Told::CarriageReturns)];
        assert_eq!(texts("{\r\n}"), of(&lines));
        assert_eq!(texts("{\n}"), of(&lines), "by a program that is no browser");
        let copied = [("{}\n", Told::Nothing), ("{}\r\n", Told::CarriageReturns), ("{}", Told::NoLastLineEnd)];
        assert_eq!(texts("{}\r\n"), of(&copied));
        assert_eq!(texts("{\r\n}\r\n").last().unwrap(), &("{\r\n}".to_owned(), Told::NoLastLineEnd));
        // Blanks are a part of what is signed.
        assert_eq!(texts(" {} "), of(&[(" {} ", Told::Nothing)]));
    }

    #[test]
    fn base64_is_taken_as_programs_write_it() {
        for text in
            ["eyJhIjoiw6TDvz8ifQ==", "eyJhIjoiw6TDvz8ifQ", "eyJhIjoi\r\nw6TDvz8ifQ==\n", "eyJhIjoiw6TDvz8ifQ== "]
        {
            assert_eq!(decoded(text).as_deref(), Some("{\"a\":\"äÿ?\"}"), "{text}");
        }
        assert_eq!(decoded("Pz8_Pw==").as_deref(), Some("????"));
        assert_eq!(
            (decoded(""), decoded("{}"), decoded("/w=="), decoded("a")),
            (Some(String::new()), None, None, None)
        );
    }
}

//! How a link's pages look: in whose name, in which colour and language, and where they lead back to.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;
use crate::{invisible, web_url};

/// Of what the pages are called.
pub const MAX_TITLE_CHARS: usize = 64;
/// Of a language's tag.
pub const MAX_LANGUAGE_CHARS: usize = 35;

/// What a link says of it; what is `None` is as the deployment has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Where the pages lead back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// In whose name they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accent: Option<String>,
    /// Their language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Look {
    /// What is expected of a name.
    pub fn a_name() -> String {
        format!("1 to {MAX_TITLE_CHARS} characters, none of them a control character")
    }

    /// What is expected of a colour.
    pub const A_COLOUR: &'static str = "a colour such as `#1f6feb`";

    /// What is expected of a language.
    pub const A_LANGUAGE: &'static str = "a language's tag such as `en` or `de-AT`";

    /// Holds each of them to what a page can show.
    ///
    /// # Errors
    /// [`Invalid`], naming the one that is amiss.
    pub fn check(&self) -> Result<(), Invalid> {
        self.return_url.as_ref().map_or(Ok(()), |url| web_url::read("return_url", url).map(drop))?;
        let all = [
            ("name", &self.name, is_name as fn(&str) -> bool, Self::a_name()),
            ("accent", &self.accent, is_colour, Self::A_COLOUR.to_owned()),
            ("language", &self.language, is_language, Self::A_LANGUAGE.to_owned()),
        ];
        for (field, value, is_one, expected) in all {
            if value.as_deref().is_some_and(|value| !is_one(value)) {
                return Err(Invalid::new(field, expected));
            }
        }
        Ok(())
    }
}

fn is_name(text: &str) -> bool {
    invisible::shows(text) && !text.chars().any(char::is_control) && text.chars().count() <= MAX_TITLE_CHARS
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let is_first = (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_further =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= MAX_LANGUAGE_CHARS && is_first && parts.all(is_further)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Set = fn(&mut Look) -> &mut Option<String>;

    #[test]
    fn each_is_held_to_what_a_page_can_show() {
        let name = |length: usize| "ä".repeat(length);
        let all: [(&str, Set, Vec<String>, Vec<String>); 4] = [
            (
                "return_url",
                |look| &mut look.return_url,
                vec!["https://app.example.com/settings?tab=webhooks".into(), "http://localhost:3000/".into()],
                vec![
                    "javascript:alert(1)".into(),
                    "//app.example.com".into(),
                    String::new(),
                    "data:text/html,x".into(),
                ],
            ),
            (
                "name",
                |look| &mut look.name,
                vec!["Acme <&> Söhne".into(), name(MAX_TITLE_CHARS)],
                vec![String::new(), " ".into(), "a\nb".into(), name(MAX_TITLE_CHARS + 1)],
            ),
            (
                "accent",
                |look| &mut look.accent,
                vec!["#1f6FEB".into()],
                vec!["red".into(), "#fff".into(), "#1f6feb;".into(), "#ggffff".into(), "url(x)".into()],
            ),
            (
                "language",
                |look| &mut look.language,
                vec!["en".into(), "de-AT".into(), "zh-Hant-TW".into(), format!("en-{}", ["abcdefg"; 4].join("-"))],
                vec![
                    String::new(),
                    "e".into(),
                    "en_US".into(),
                    "en-".into(),
                    format!("en-{}", ["abcdefg"; 5].join("-")),
                ],
            ),
        ];
        for (field, of, good, bad) in all {
            for (texts, is_taken) in [(good, true), (bad, false)] {
                for text in texts {
                    let mut look = Look::default();
                    *of(&mut look) = Some(text.clone());
                    let refused = look.check().err().map(|invalid| invalid.field);
                    assert_eq!(refused.as_deref(), (!is_taken).then_some(field), "{text}");
                }
            }
        }
        assert_eq!(Look::default().check(), Ok(()));
    }
}

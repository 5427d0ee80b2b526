//! Names with values, such as headers: a row each, and a few that are empty.

use std::collections::{BTreeMap, HashSet};

use crate::form::{self, Errors, Form};
use crate::prose;
use crate::texts::Texts;
use maud::{Markup, html};

/// Empty rows below those that are filled.
const EMPTY: usize = 1;
/// And where somebody asks for more.
const MORE: usize = 4;
/// Rows that are read of a form; the API takes fewer.
const MOST: usize = 100;

/// The one kind of names of which the case means nothing.
const HEADERS: &str = "headers";

/// Rows as they were typed, the empty ones left out.
#[derive(Debug, Clone, Default)]
pub(super) struct Pairs(Vec<(String, String)>);

/// What rows are called.
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) hint: &'static str,
    pub(super) name: &'static str,
    pub(super) value: &'static str,
    pub(super) more: &'static str,
}

impl Pairs {
    /// Those that a form has under this name.
    pub(super) fn read(form: &Form, field: &str) -> Self {
        let (names, values) = (format!("{field}_name"), format!("{field}_value"));
        let rows = form.all(&names).zip(form.all(&values)).take(MOST);
        let rows = rows.map(|(name, value)| (form::line(name), form::line(value)));
        Self(rows.filter(|(name, value)| !name.is_empty() || !value.is_empty()).collect())
    }

    pub(super) fn of(map: &BTreeMap<String, String>) -> Self {
        Self(map.iter().map(|(name, value)| (form::line(name), form::line(value))).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As the API takes them, nothing where there are none.
    pub(super) fn settings(&self, texts: &Texts, field: &str, errors: &mut Errors) -> Option<BTreeMap<String, String>> {
        let mut seen = HashSet::new();
        for (name, _) in &self.0 {
            if name.is_empty() {
                errors.add(field, texts.edit.no_name);
            } else if !seen.insert(if field == HEADERS { name.to_ascii_lowercase() } else { name.clone() }) {
                errors.add(field, (texts.edit.name_twice)(name));
            }
        }
        (!self.0.is_empty()).then(|| self.0.iter().cloned().collect())
    }

    /// The rows, and some that are empty.
    pub(super) fn drawn(&self, field: &str, words: &Words, errors: &Errors, more_rows: bool) -> Markup {
        let empty = if more_rows { MORE } else { EMPTY };
        let rows = self.0.iter().cloned().chain((0..empty).map(|_| Default::default()));
        let wrong = errors.of(field);
        let described = if wrong.is_some() { format!("{field}-hint {field}-wrong") } else { format!("{field}-hint") };
        html! {
            fieldset.field #(field) tabindex="-1" aria-describedby=(described) {
                legend { (words.title) }
                p.hint #{ (field) "-hint" } { (words.hint) }
                @if let Some(message) = wrong { p.wrong #{ (field) "-wrong" } { (prose::line(message)) } }
                @for (at, (name, value)) in rows.enumerate() {
                    div.pair {
                        @let of = |part: &str| format!("{field}-{part}-{at}");
                        label for=(of("name")) { (words.name) }
                        input #(of("name")) type="text" name={ (field) "_name" } value=(name) autocomplete="off" spellcheck="false";
                        label for=(of("value")) { (words.value) }
                        input #(of("value")) type="text" name={ (field) "_value" } value=(value) autocomplete="off" spellcheck="false";
                    }
                }
                button type="submit" name="rows" value="1" { (words.more) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::texts::Language;

    fn settings(rows: &[(&str, &str)]) -> Result<Value, String> {
        let pairs: Vec<_> =
            rows.iter().flat_map(|(name, value)| [("headers_name", *name), ("headers_value", *value)]).collect();
        let mut errors = Errors::default();
        let settings =
            Pairs::read(&Form::of(&pairs), "headers").settings(Language::English.texts(), "headers", &mut errors);
        errors.of("headers").map_or(Ok(json!(settings)), |message| Err(message.to_owned()))
    }

    #[test]
    fn rows_are_names_with_values_and_empty_ones_are_none() {
        assert_eq!(settings(&[("x-a", " 1 "), ("", ""), ("x-b", "***")]), Ok(json!({"x-a": "1", "x-b": "***"})));
        assert_eq!(settings(&[("", ""), (" ", "")]), Ok(Value::Null));
    }

    #[test]
    fn a_value_without_a_name_and_a_name_that_stands_twice_are_told() {
        assert!(settings(&[("", "1")]).unwrap_err().contains("without a name"));
        assert!(settings(&[("X-A", "1"), ("x-a", "2")]).unwrap_err().contains("twice"));
    }

    #[test]
    fn whatever_was_typed_stands_there_as_text() {
        let hostile = "\"><script>alert(1)</script>";
        let words = Words { title: "t", hint: "h", name: "n", value: "v", more: "m" };
        let pairs = Pairs(vec![(hostile.to_owned(), hostile.to_owned())]);
        let drawn = pairs.drawn("headers", &words, &Errors::default(), true).into_string();
        assert!(!drawn.contains("<script") && drawn.matches("&quot;&gt;&lt;script&gt;").count() == 2, "{drawn}");
        assert_eq!(drawn.matches("name=\"headers_name\"").count(), 1 + MORE);
    }
}

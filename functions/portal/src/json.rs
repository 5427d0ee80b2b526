//! JSON as people read and write it.

use serde_json::value::RawValue;

/// Levels that are set in, each by two blanks.
const DEEPEST: usize = 16;
/// What is longer stays as it is: set in, it could be many times as long.
const LONGEST: usize = 64 * 1024;

/// A JSON text with a line for each entry. Only white space changes: numbers and strings stay as they were written.
pub(crate) fn pretty(text: &str) -> String {
    if text.len() > LONGEST {
        return text.to_owned();
    }
    let mut written = String::with_capacity(text.len() * 2);
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    let mut chars = text.chars().peekable();
    let line = |written: &mut String, depth: usize| {
        written.push('\n');
        written.extend(std::iter::repeat_n("  ", depth.min(DEEPEST)));
    };
    while let Some(char) = chars.next() {
        if in_string {
            written.push(char);
            in_string = is_escaped || char != '"';
            is_escaped = !is_escaped && char == '\\';
            continue;
        }
        match char {
            ' ' | '\t' | '\n' | '\r' => {}
            '{' | '[' => {
                written.push(char);
                while chars.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                // What is empty stays in its line.
                match chars.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => written.push(end),
                    None => {
                        depth += 1;
                        line(&mut written, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut written, depth);
                written.push(char);
            }
            ',' => {
                written.push(char);
                line(&mut written, depth);
            }
            ':' => written.push_str(": "),
            _ => {
                in_string = char == '"';
                written.push(char);
            }
        }
    }
    written
}

/// The same JSON without a blank that means nothing.
pub(crate) fn compact(value: &RawValue) -> Option<Box<RawValue>> {
    let (mut in_string, mut is_escaped) = (false, false);
    let written = value.get().chars().filter(|char| {
        if in_string {
            in_string = is_escaped || *char != '"';
            is_escaped = !is_escaped && *char == '\\';
            return true;
        }
        in_string = *char == '"';
        !matches!(char, ' ' | '\t' | '\n' | '\r')
    });
    RawValue::from_string(written.collect()).ok()
}

/// What was typed where a JSON object is expected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoObject {
    /// It is no JSON from this line and column on.
    NoJson(usize, usize),
    /// It is other JSON.
    NoObject,
}

/// A JSON object that was typed, as it was typed: who reads it and writes it anew rounds large numbers and loses names that stand twice.
///
/// # Errors
/// Where it is none.
pub(crate) fn object(text: &str) -> Result<Box<RawValue>, NoObject> {
    let value: Box<RawValue> =
        serde_json::from_str(text).map_err(|error| NoObject::NoJson(error.line(), error.column()))?;
    if value.get().starts_with('{') { Ok(value) } else { Err(NoObject::NoObject) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_json_is_the_same_text_however_it_is_set_in() {
        let text = r#"{"a b": [12345678901234567890, " \" x\\"], "a b": {} }"#;
        let compact = |text: &str| super::compact(&object(text).unwrap()).unwrap().get().to_owned();
        assert_eq!(compact(text), r#"{"a b":[12345678901234567890," \" x\\"],"a b":{}}"#);
        assert_eq!(compact(&pretty(text)), compact(text));
    }

    #[test]
    fn an_object_is_taken_as_it_was_typed() {
        let text = r#"{"a": 12345678901234567890, "a": 1.50, "b": {"c":1e400}}"#;
        assert_eq!(object(&format!(" {text}\n")).unwrap().get(), text);
        assert_eq!(object("[1]").unwrap_err(), NoObject::NoObject);
        assert_eq!(object("{\n  \"a\": ").unwrap_err(), NoObject::NoJson(2, 7));
        assert!(matches!(object("{} {}"), Err(NoObject::NoJson(..))));
    }

    #[test]
    fn only_white_space_changes() {
        let text = r#"{"a": 12345678901234567890.10,"b":[1,{"c":"x: \"{[,]}\" \\"},[ ],{}],"d":"\u00e4"}"#;
        let expected = "{\n  \"a\": 12345678901234567890.10,\n  \"b\": [\n    1,\n    {\n      \"c\": \"x: \\\"{[,]}\\\" \\\\\"\n    },\n    [],\n    {}\n  ],\n  \"d\": \"\\u00e4\"\n}";
        assert_eq!(pretty(text), expected);
        assert_eq!(pretty(expected), expected);
        assert_eq!(
            (pretty("{}"), pretty("\" \""), pretty(" [ 1 ] ")),
            ("{}".to_owned(), "\" \"".to_owned(), "[\n  1\n]".to_owned())
        );
    }

    #[test]
    fn what_is_deep_or_long_grows_no_further() {
        let deep = |ones: usize| format!("{}{}1{}", "[".repeat(1000), "1,".repeat(ones), "]".repeat(1000));
        let text = deep((LONGEST - 2001) / 2);
        assert!(pretty(&text).len() < 20 * LONGEST);
        let longer = deep(LONGEST / 2);
        assert_eq!(pretty(&longer), longer);
    }
}

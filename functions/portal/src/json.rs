//! JSON as people read it.

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

#[cfg(test)]
mod tests {
    use super::*;

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

//! Headers as people paste them: lines, what `curl -v` printed, a `curl` command's `-H`, or an object in JSON.

use std::collections::BTreeMap;

use serde_json::Value;

/// Headers that say nothing of a signature, and that nobody needs to know.
const PRIVATE: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// What cannot be read as headers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// There are none.
    Empty,
    /// A line, by its number, that is no header.
    Line(usize),
    /// A value of an object, by its name, that is no text.
    Value(String),
}

/// The headers of a text by their names in lower case, but for those that are private.
///
/// # Errors
/// [`Unread`], the first one.
pub(crate) fn headers(text: &str) -> Result<BTreeMap<String, String>, Unread> {
    let mut found = if text.trim_start().starts_with('{') { of_object(text)? } else { of_lines(text)? };
    if found.is_empty() {
        return Err(Unread::Empty);
    }
    found.retain(|name, _| !PRIVATE.contains(&name.as_str()));
    Ok(found)
}

fn of_object(text: &str) -> Result<BTreeMap<String, String>, Unread> {
    let Ok(Value::Object(fields)) = serde_json::from_str(text) else { return Err(Unread::Line(1)) };
    let mut found = BTreeMap::new();
    for (name, value) in fields {
        let value = match &value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Array(values) if values.iter().all(Value::is_string) => {
                values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
            }
            _ => return Err(Unread::Value(name)),
        };
        add(&mut found, &name, &value);
    }
    Ok(found)
}

fn of_lines(text: &str) -> Result<BTreeMap<String, String>, Unread> {
    let mut found = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if is_none(line) {
            continue;
        }
        let options = of_command(line);
        if !options.is_empty() {
            for option in options {
                let (name, value) = split(&option).ok_or(Unread::Line(number))?;
                add(&mut found, name, value);
            }
            continue;
        }
        // What curl sent stands behind `>`, what it got behind `<`.
        let line = line.strip_prefix(['>', '<']).unwrap_or(line);
        let (name, value) = split(line).ok_or(Unread::Line(number))?;
        add(&mut found, name, value);
    }
    Ok(found)
}

/// Whether a line is none of the headers, though it stands among them: a request's first line, a word of curl's own, a command that
/// goes on.
fn is_none(line: &str) -> bool {
    let bare = line.trim_start_matches(['>', '<', '*']).trim();
    let is_request_line = bare.ends_with("HTTP/1.1") || bare.ends_with("HTTP/1.0") || bare.ends_with("HTTP/2");
    let is_command = (bare.starts_with("curl ") || bare.starts_with('-')) && of_command(bare).is_empty();
    matches!(bare, "" | "\\" | "}")
        || line.starts_with("* ")
        || is_request_line
        || bare.starts_with("HTTP/")
        || is_command
}

/// The headers that a command's options name: `-H 'a: b'`, `-H "a: b"` and `--header=a:b`.
fn of_command(line: &str) -> Vec<String> {
    let (mut headers, mut words) = (Vec::new(), words(line).into_iter());
    while let Some(word) = words.next() {
        match word.as_str() {
            "-H" | "--header" => headers.extend(words.next()),
            _ => headers
                .extend(["--header=", "-H"].iter().find_map(|option| word.strip_prefix(option)).map(str::to_owned)),
        }
    }
    headers
}

/// A line's words as a shell has them.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match (char, quote) {
            (char, Some(open)) if char == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(chars.next()),
            (char, None) if char.is_whitespace() => words.extend(word.take()),
            (char, _) => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}

fn split(line: &str) -> Option<(&str, &str)> {
    // HTTP/2 has names that begin with a colon, such as `:path`.
    let (name, value) = line.split_once([':']).filter(|(name, _)| !name.is_empty())?;
    let is_name = |char: char| char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char);
    let name = name.trim();
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, value.trim()))
}

/// What comes twice is joined, as HTTP has it.
fn add(found: &mut BTreeMap<String, String>, name: &str, value: &str) {
    let known = found.entry(name.trim().to_ascii_lowercase()).or_default();
    if known.is_empty() {
        value.clone_into(known);
    } else if known != value {
        known.push_str(", ");
        known.push_str(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> BTreeMap<String, String> {
        let all = [("content-type", "application/json"), ("webhook-id", "evt_1"), ("webhook-signature", "v1,a+b/c=")];
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn headers_are_read_however_they_are_pasted() {
        for text in [
            "Content-Type: application/json\nWebhook-Id: evt_1\nWebhook-Signature: v1,a+b/c=",
            "content-type:application/json\r\n\r\nwebhook-id:  evt_1 \r\nwebhook-signature: v1,a+b/c=\r\n",
            "POST /hooks HTTP/1.1\nContent-Type: application/json\nWebhook-Id: evt_1\nWebhook-Signature: v1,a+b/c=",
            "* Connected to localhost\n> POST /hooks HTTP/2\n> content-type: application/json\n> webhook-id: evt_1\n> webhook-signature: v1,a+b/c=\n>\n",
            "curl https://hooks.example.com/ \\\n  -H 'Content-Type: application/json' \\\n  -H \"Webhook-Id: evt_1\" \\\n  --header 'Webhook-Signature: v1,a+b/c='",
            "curl -X POST https://x.example/a?b:c -H'content-type: application/json' -H webhook-id:evt_1 '--header=webhook-signature: v1,a+b/c='",
            r#"{"Content-Type": "application/json", "webhook-id": ["evt_1"], "webhook-signature": "v1,a+b/c="}"#,
            "webhook-id: evt_1\nwebhook-id: evt_1\ncontent-type: application/json\nwebhook-signature: v1,a+b/c=\nauthorization: Bearer x\nCookie: a=b",
        ] {
            assert_eq!(headers(text), Ok(expected()), "{text}");
        }
    }

    #[test]
    fn what_comes_twice_is_one_value() {
        let read = headers("a: 1\nA: 2\nb:").unwrap();
        assert_eq!(read, [("a", "1, 2"), ("b", "")].map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(headers(r#"{"a": ["1", "2"], "b": ""}"#).unwrap(), read);
    }

    #[test]
    fn what_is_no_header_is_told_by_its_place() {
        for (text, expected) in [
            ("", Unread::Empty),
            (" \r\n\r\n", Unread::Empty),
            ("{}", Unread::Empty),
            ("a: 1\nno header\n", Unread::Line(2)),
            ("a b: 1", Unread::Line(1)),
            (":path: /", Unread::Line(1)),
            ("curl x -H 'nothing'", Unread::Line(1)),
            ("{\"a\": 1,", Unread::Line(1)),
            (r#"{"a": {"b": 1}}"#, Unread::Value("a".to_owned())),
            (r#"{"a": [1]}"#, Unread::Value("a".to_owned())),
        ] {
            assert_eq!(headers(text), Err(expected), "{text}");
        }
    }
}

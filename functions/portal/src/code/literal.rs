//! Texts as a program has them, between quotes.

use std::fmt::Write as _;

use super::Runtime;

/// A text as a literal. Whatever the text is, it is what the program then has, and ends nothing.
pub(super) fn quoted(runtime: Runtime, text: &str) -> String {
    let mut literal = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            // Where these begin what is put in place of a name.
            '$' if runtime == Runtime::Php => literal.push_str("\\$"),
            '#' if runtime == Runtime::Ruby => literal.push_str("\\#"),
            ' '..='~' => literal.push(c),
            _ => escape(runtime, c, &mut literal),
        }
    }
    literal.push('"');
    literal
}

fn escape(runtime: Runtime, c: char, literal: &mut String) {
    let code = u32::from(c);
    // A string takes whatever is written.
    let _ = match runtime {
        Runtime::Python | Runtime::Go => write!(literal, "\\U{code:08x}"),
        Runtime::Node | Runtime::Php | Runtime::Ruby | Runtime::Rust => write!(literal, "\\u{{{code:x}}}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_nothing_and_begins_nothing() {
        let text = "v1=\"\\${x}#{y}\n\u{e9}\u{1f642}";
        for (runtime, literal) in [
            (Runtime::Python, r##""v1=\"\\${x}#{y}\U0000000a\U000000e9\U0001f642""##),
            (Runtime::Go, r##""v1=\"\\${x}#{y}\U0000000a\U000000e9\U0001f642""##),
            (Runtime::Node, r##""v1=\"\\${x}#{y}\u{a}\u{e9}\u{1f642}""##),
            (Runtime::Php, r##""v1=\"\\\${x}#{y}\u{a}\u{e9}\u{1f642}""##),
            (Runtime::Ruby, r##""v1=\"\\${x}\#{y}\u{a}\u{e9}\u{1f642}""##),
            (Runtime::Rust, r##""v1=\"\\${x}#{y}\u{a}\u{e9}\u{1f642}""##),
        ] {
            assert_eq!(quoted(runtime, text), literal, "{runtime:?}");
        }
    }
}

//! Values as the usual programs write them.

use std::fmt::Write as _;

use crate::json::Tree;

/// Where white space stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spaces {
    /// Nowhere.
    None,
    /// Behind each comma and colon, as Python does.
    Single,
    /// On lines of their own, each level so far in: as who writes for people does.
    Lines(&'static str),
    /// The same where the whole stands one level further in.
    InnerLines(&'static str),
}

/// Which characters are escaped, beside those that must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// None: JavaScript, Rust.
    None,
    /// What is not ASCII: Python, Ruby.
    NotAscii,
    /// That, and slashes: PHP.
    NotAsciiAndSlashes,
    /// What HTML minds: Go.
    Html,
}

/// How a program writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) spaces: Spaces,
    pub(super) escapes: Escapes,
    /// Below how many levels it begins to count; above it, there is no white space.
    pub(super) depth: usize,
}

const SPACES: [Spaces; 8] = [
    Spaces::None,
    Spaces::Single,
    Spaces::Lines("  "),
    Spaces::Lines("    "),
    Spaces::Lines("\t"),
    Spaces::InnerLines("  "),
    Spaces::InnerLines("    "),
    Spaces::InnerLines("\t"),
];
const ESCAPES: [Escapes; 4] = [Escapes::None, Escapes::NotAscii, Escapes::NotAsciiAndSlashes, Escapes::Html];

impl Style {
    /// All of them: within the envelope of so many levels, and then also over it.
    pub(super) fn all(envelope: usize) -> impl Iterator<Item = Self> {
        let depths = if envelope == 0 { vec![0] } else { vec![envelope, 0] };
        depths.into_iter().flat_map(|depth| {
            let of = move |escapes| SPACES.into_iter().map(move |spaces| Self { spaces, escapes, depth });
            ESCAPES.into_iter().flat_map(of)
        })
    }
}

/// The value, written so.
pub(super) fn write(tree: &Tree, style: Style) -> String {
    let mut writer = Writer { style, level: 0, text: String::new() };
    writer.value(tree);
    writer.text
}

struct Writer {
    style: Style,
    level: usize,
    text: String,
}

impl Writer {
    fn value(&mut self, tree: &Tree) {
        match tree {
            Tree::Object(fields) => self.all_of(('{', '}'), fields, |writer, (name, value)| {
                writer.quoted(name);
                writer.text.push_str(if writer.has_spaces() { ": " } else { ":" });
                writer.value(value);
            }),
            Tree::Array(items) => self.all_of(('[', ']'), items, Self::value),
            Tree::Text(text) => self.quoted(text),
            Tree::Word(word) => self.text.push_str(word),
        }
    }

    fn all_of<T>(&mut self, (open, close): (char, char), items: &[T], each: impl Fn(&mut Self, &T)) {
        self.text.push(open);
        self.level += 1;
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            self.begin_item(at);
            each(self, item);
        }
        self.level -= 1;
        if !items.is_empty() {
            self.end_items();
        }
        self.text.push(close);
    }

    /// What stands inside of the envelope, and not the envelope's own.
    fn has_spaces(&self) -> bool {
        self.style.spaces != Spaces::None && self.level > self.style.depth
    }

    fn begin_item(&mut self, at: usize) {
        match self.style.spaces {
            Spaces::Single if at > 0 && self.has_spaces() => self.text.push(' '),
            Spaces::Lines(_) | Spaces::InnerLines(_) if self.has_spaces() => self.line(self.level - self.style.depth),
            _ => {}
        }
    }

    fn end_items(&mut self) {
        let is_lines = matches!(self.style.spaces, Spaces::Lines(_) | Spaces::InnerLines(_));
        if is_lines && self.level >= self.style.depth {
            self.line(self.level - self.style.depth);
        }
    }

    fn line(&mut self, levels: usize) {
        let (indent, levels) = match self.style.spaces {
            Spaces::Lines(indent) => (indent, levels),
            Spaces::InnerLines(indent) => (indent, levels + 1),
            Spaces::None | Spaces::Single => return,
        };
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n(indent, levels));
    }

    fn quoted(&mut self, text: &str) {
        self.text.push('"');
        for c in text.chars() {
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                '/' if self.style.escapes == Escapes::NotAsciiAndSlashes => self.text.push_str("\\/"),
                c if c < ' ' || self.escapes(c) => self.escape(c),
                c => self.text.push(c),
            }
        }
        self.text.push('"');
    }

    fn escapes(&self, c: char) -> bool {
        match self.style.escapes {
            Escapes::None => false,
            Escapes::NotAscii | Escapes::NotAsciiAndSlashes => !c.is_ascii(),
            Escapes::Html => matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
        }
    }

    /// In the units of UTF-16, of which a character may take two.
    fn escape(&mut self, c: char) {
        for unit in c.encode_utf16(&mut [0; 2]) {
            // A string takes whatever is written.
            let _ = write!(self.text, "\\u{unit:04x}");
        }
    }
}

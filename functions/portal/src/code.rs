//! Programs that verify a webhook's requests, for whoever receives them to copy: one for each dialect, with its own headers, in what
//! receivers are mostly written in. What a dialect's description says decides what stands in them, so an operator's own dialects have
//! theirs without a word more.

mod literal;
mod template;

use postrider_domain::dialect::Dialect;
use postrider_domain::named;
use postrider_domain::secret::KeyDerivation;
use postrider_domain::signature::{Content, Encoding, Signing};

use self::literal::quoted;

named! {
    /// What a receiver is written in.
    pub enum Runtime {
        /// Python, with its standard library.
        Python = "Python",
        /// JavaScript in Node.
        Node = "Node",
        /// Go.
        Go = "Go",
        /// PHP.
        Php = "PHP",
        /// Ruby.
        Ruby = "Ruby",
        /// Rust, with the crates that everybody has.
        Rust = "Rust",
    }
}

impl Runtime {
    /// What the file is called that the program goes into.
    pub fn file(self) -> &'static str {
        match self {
            Self::Python => "verify.py",
            Self::Node => "verify.mjs",
            Self::Go => "verify.go",
            Self::Php => "verify.php",
            Self::Ruby => "verify.rb",
            Self::Rust => "verify.rs",
        }
    }

    fn template(self) -> &'static str {
        match self {
            Self::Python => include_str!("code/verify.py.template"),
            Self::Node => include_str!("code/verify.mjs.template"),
            Self::Go => include_str!("code/verify.go.template"),
            Self::Php => include_str!("code/verify.php.template"),
            Self::Ruby => include_str!("code/verify.rb.template"),
            Self::Rust => include_str!("code/verify.rs.template"),
        }
    }

    /// What joins two texts.
    fn plus(self) -> &'static str {
        if self == Self::Php { " . " } else { " + " }
    }

    /// How a program asks for a header by its name: PHP's `$_SERVER` has it under another, and Node's under none but this one.
    fn header(self, name: &str) -> String {
        match self {
            Self::Php => format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_")),
            Self::Python | Self::Node | Self::Go | Self::Ruby | Self::Rust => name.to_ascii_lowercase(),
        }
    }
}

/// The program that verifies what this dialect signs.
pub fn program(runtime: Runtime, dialect: &Dialect) -> String {
    let signing = &dialect.signing;
    template::filled(runtime.template(), |name| is(signing, name), |name| said(runtime, dialect, name))
}

/// Whether something that a template asks holds.
fn is(signing: &Signing, name: &str) -> Option<bool> {
    let is_base64 = signing.encoding == Encoding::Base64;
    let is_decoded = matches!(signing.key, KeyDerivation::Base64After(_));
    let is_dated = matches!(signing.content, Content::IdTimestampBody { .. });
    Some(match name {
        "dated" => is_dated,
        "decoded" => is_decoded,
        "prefixed" => !signing.prefix.is_empty(),
        "base64_signature" => is_base64,
        "hex_signature" => !is_base64,
        "base64" => is_base64 || is_decoded,
        "strings" => is_dated || is_decoded,
        _ => return None,
    })
}

/// What stands in the place of a name.
fn said(runtime: Runtime, dialect: &Dialect, name: &str) -> Option<String> {
    let signing = &dialect.signing;
    let (id_header, timestamp_header) = match signing.content {
        Content::Body => ("", ""),
        Content::IdTimestampBody { id_header, timestamp_header } => (id_header, timestamp_header),
    };
    let header = |name| quoted(runtime, &runtime.header(name));
    Some(match name {
        "header" => header(signing.header),
        "id_header" => header(id_header),
        "timestamp_header" => header(timestamp_header),
        "prefix" => quoted(runtime, signing.prefix),
        // Nothing where nothing stands before a signature.
        "before" if signing.prefix.is_empty() => String::new(),
        "before" => quoted(runtime, signing.prefix) + runtime.plus(),
        "secret_prefix" => match signing.key {
            KeyDerivation::WholeText => quoted(runtime, ""),
            KeyDerivation::Base64After(prefix) => quoted(runtime, prefix),
        },
        "name" => identifier(dialect.name),
        "Name" => camel(&identifier(dialect.name)),
        _ => return None,
    })
}

/// A dialect's name as a part of a function's.
fn identifier(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    name.chars().map(letter).collect()
}

/// The same as languages have it that write a word's first letter large.
fn camel(name: &str) -> String {
    let mut written = String::new();
    for word in name.split('_') {
        let mut letters = word.chars();
        written.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        written.push_str(letters.as_str());
    }
    written
}

#[cfg(test)]
mod tests;

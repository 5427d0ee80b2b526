//! The schema of what came of an attempt.

use std::borrow::Cow;

use postrider_api::document::{JsonSchema, Schema, SchemaGenerator, json_schema};
use postrider_domain::attempt::Code;
use postrider_domain::invalid::Invalid;
use postrider_domain::named::Named as _;

/// The outcome of this name, where there can be one.
///
/// # Errors
/// [`Invalid`] for anything else.
pub(crate) fn named(name: &str) -> Result<String, Invalid> {
    let status = name.strip_prefix("status_").filter(|status| status.len() == 3);
    let is_status = status.is_some_and(|status| status.parse().is_ok_and(|status: u16| status >= 100));
    if is_status || Code::ALL.iter().any(|code| *code != Code::Status && code.as_str() == name) {
        return Ok(name.to_owned());
    }
    let names: Vec<_> = Code::ALL.iter().map(|code| format!("`{}`", code.as_str())).collect();
    Err(Invalid::new("outcome", format!("one of {}", names.join(", "))))
}

/// One of the domain's codes; one of them has a status in it.
pub(crate) struct OutcomeName;

impl JsonSchema for OutcomeName {
    fn schema_name() -> Cow<'static, str> {
        "Outcome".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = |code: &Code| code.as_str().replace("<code>", "[1-9][0-9][0-9]");
        let patterns: Vec<_> = Code::ALL.iter().map(pattern).collect();
        let meanings: String =
            Code::ALL.iter().map(|code| format!("\n- `{}`: {}", code.as_str(), code.meaning())).collect();
        json_schema!({
            "type": "string",
            "pattern": format!("^({})$", patterns.join("|")),
            "description": format!("What came of an attempt. There may be more outcomes one day.\n{meanings}"),
            "examples": ["succeeded", "status_500"],
        })
    }
}

//! The schema of what came of an attempt.

use std::borrow::Cow;

use postrider_api::document::{JsonSchema, Schema, SchemaGenerator, json_schema};
use postrider_domain::attempt::Code;
use postrider_domain::named::Named as _;

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

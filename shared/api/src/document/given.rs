//! What requests are made of.

use std::borrow::Cow;
use std::marker::PhantomData;

use postrider_domain::event::{MAX_TAG_CHARS, MAX_TAG_NAME_CHARS, MAX_TAGS, MAX_TYPE_CHARS};
use postrider_domain::{external_id, idempotency_key, web_url, webhook_url};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Entries of a page where nobody asks for fewer or more.
pub const DEFAULT_LIMIT: i32 = 50;
/// Entries of a page at the most.
pub const MAX_LIMIT: i32 = 200;

/// What a property of a request's schema says that may be left out. It stands in no document: whoever writes one takes it away.
pub(crate) const MAY_BE_LEFT_OUT: &str = "x-may-be-left-out";

/// A field of a request that may be left out, and is null only where its type says so. (`Option` would say both.)
pub struct Left<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for Left<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = generator.subschema_for::<T>();
        schema.insert(MAY_BE_LEFT_OUT.to_owned(), true.into());
        schema
    }
}

/// Nothing: no body, or an empty object.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Nothing {}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $shown:literal, $schema:tt) => {
        $(#[$doc])*
        pub struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                $shown.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}
text!(
    /// The schema of an instant that a caller names.
    GivenTime,
    "GivenTime",
    {
        "type": "string",
        "format": "date-time",
        "description": "An instant: RFC 3339, with any offset. A fraction counts to the nanosecond.",
        "examples": ["2026-01-15T14:30:00Z"],
    }
);
text!(
    /// The schema of a webhook's URL.
    UrlOfWebhook,
    "WebhookUrl",
    {
        "type": "string",
        "maxLength": webhook_url::MAX_CHARS,
        "pattern": "^[Hh][Tt][Tt][Pp][Ss]://",
        "description": "An HTTPS URL whose host is public: no address of a private network, and no name that leads to one.",
        "examples": ["https://hooks.example.com/postrider"],
    }
);
text!(
    /// The schema of a URL that is passed on and never called.
    UrlOfTheWeb,
    "WebUrl",
    {
        "type": "string",
        "maxLength": web_url::MAX_CHARS,
        "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://",
        "description": "An http or https URL. Postrider passes it on and does not call it.",
        "examples": ["https://videos.example.com/watch?v=4711"],
    }
);
text!(
    /// The schema of an event's type.
    TypeOfEvent,
    "EventType",
    {
        "type": "string",
        "maxLength": MAX_TYPE_CHARS,
        // Any that an operator's own dialect may have: a test below holds it to the domain's.
        "pattern": r"^[!$%()+,/:;=?@\[\]^{|}~0-9A-Za-z_-]+(\.[!$%()+,/:;=?@\[\]^{|}~0-9A-Za-z_-]+)*$",
        "description": "What happened: segments of letters, digits, `_`, `-` and `:`, separated by dots. An operator's own dialects may have more characters.",
        "examples": ["invoice.paid"],
    }
);
text!(
    /// The schema of what a webhook asks for.
    SubscriptionPattern,
    "EventPattern",
    {
        "type": "string",
        // A type and the star behind it.
        "maxLength": MAX_TYPE_CHARS + 2,
        "pattern": r"^(\*|[!$%()+,/:;=?@\[\]^{|}~0-9A-Za-z_-]+(\.[!$%()+,/:;=?@\[\]^{|}~0-9A-Za-z_-]+)*(\.\*)?)$",
        "description": "An event type; `prefix.*`, which is all that begin so; or `*`, which is all but Postrider's own `webhook.*`.",
        "examples": ["invoice.*"],
    }
);
text!(
    /// The schema of a provider's own id of a tenant.
    ExternalIdOfTenant,
    "ExternalId",
    {
        "type": "string",
        "pattern": external_id::PATTERN,
        "description": "What the provider calls a tenant in its own systems. No two tenants have the same.",
        "examples": ["customer-4711"],
    }
);
text!(
    /// The schema of a tenant in a path.
    TenantInPath,
    "TenantInPath",
    {
        "type": "string",
        "pattern": "^(ten_[0-9A-Za-z]{16}|ext:[0-9A-Za-z_.-]{1,128})$",
        "description": "A tenant: its id, or `ext:` and its `external_id`.",
        "examples": ["ten_0Uj3xKq8mPz4RtVb"],
    }
);
text!(
    /// The schema of a tenant in a path where it may be one that there is not yet.
    ExternalIdInPath,
    "ExternalIdInPath",
    {
        "type": "string",
        "pattern": "^ext:[0-9A-Za-z_.-]{1,128}$",
        "description": "A tenant: `ext:` and its `external_id`.",
        "examples": ["ext:customer-4711"],
    }
);
text!(
    /// The schema of a header that says how long to wait.
    Seconds,
    "Seconds",
    {"type": "string", "pattern": "^[0-9]+$", "description": "Whole seconds.", "examples": ["30"]}
);
text!(
    /// The schema of a header that says where something is.
    Path,
    "Path",
    {"type": "string", "pattern": "^/", "description": "A path of this API.", "examples": ["/v1/jobs/job_0Uj3xKq8Hj7Kl9Mn"]}
);

text!(
    /// The schema of an event's tags.
    Tags,
    "Tags",
    {
        "type": "object",
        "maxProperties": MAX_TAGS,
        "additionalProperties": {"type": "string", "maxLength": MAX_TAG_CHARS},
        "description": format!("A producer's words about an event. Names are 1 to {MAX_TAG_NAME_CHARS} letters, digits, `_`, `.`, `:` or `-`; values have no control characters."),
        "examples": [{"region": "eu", "tier": "gold"}],
    }
);

/// How many entries a page has.
pub(crate) struct Limit;

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT, "examples": [DEFAULT_LIMIT],
        })
    }
}

/// A place in a list.
pub(crate) struct CursorText;

impl JsonSchema for CursorText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Cursor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[A-Za-z0-9_-]*$", "examples": ["d2hfMDFKUTlaMUszTUFBQmNERg"]})
    }
}

/// What a caller calls a request of his own.
pub(crate) struct IdempotencyKey;

impl JsonSchema for IdempotencyKey {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "IdempotencyKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "minLength": 1, "maxLength": idempotency_key::MAX_CHARS, "examples": ["invoice-4711-paid"],
        })
    }
}

#[cfg(test)]
mod tests {
    use postrider_domain::event::FURTHER_CHARACTERS;

    use super::*;

    /// The characters of a schema's first class, without what escapes them there.
    fn class_of(schema: &Schema) -> Vec<char> {
        let pattern = schema.get("pattern").and_then(|pattern| pattern.as_str()).unwrap_or_default();
        let class = pattern.split_once('[').and_then(|(_, behind)| behind.split_once("]+")).map(|(class, _)| class);
        let mut all: Vec<char> = class.unwrap_or_default().replace("0-9A-Za-z", "").replace('\\', "").chars().collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn the_document_takes_every_type_that_a_dialect_may_have() {
        let mut all: Vec<char> = format!("{FURTHER_CHARACTERS}_-:").chars().collect();
        all.sort_unstable();
        let mut generator = SchemaGenerator::default();
        assert_eq!(class_of(&TypeOfEvent::json_schema(&mut generator)), all);
        assert_eq!(class_of(&SubscriptionPattern::json_schema(&mut generator)), all);
    }
}

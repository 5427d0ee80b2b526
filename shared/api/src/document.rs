//! What the API's document says (`GET /v1/openapi.json`): each route carries its [`Operation`](crate::Operation), and the types that are written into
//! answers carry their schemas. `tests/facts` puts both together; no function has the document of another.

mod given;
mod shown;
mod written;

pub(crate) use given::{CursorText, IdempotencyKey, Limit};
pub use given::{
    DEFAULT_LIMIT, ExternalIdInPath, ExternalIdOfTenant, GivenTime, Left, MAX_LIMIT, Nothing, Path, Seconds,
    SubscriptionPattern, Tags, TenantInPath, TypeOfEvent, UrlOfTheWeb, UrlOfWebhook,
};
pub use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
pub use shown::{DialectName, Id, Names, NamesOf, ShownId, Time};
pub use written::{SchemaOf, Schemas, fields_of};

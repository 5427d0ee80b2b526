//! What the API's document says (`GET /v1/openapi.json`): each route carries its [`Operation`], and the types that are written into
//! answers carry their schemas. `tests/facts` puts both together; no function has the document of another.

mod given;
mod operation;
mod shown;
mod written;

pub use given::{GivenTime, Left, Nothing, Path, Seconds, SubscriptionPattern, TypeOfEvent, UrlOfTheWeb, UrlOfWebhook};
pub use operation::{About, Answer, Body, DEFAULT_LIMIT, MAX_LIMIT, Operation, Parameter, Refusal, SchemaOf};
pub use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
pub use shown::{DialectName, Id, Names, NamesOf, ShownId, Time};
pub use written::{Schemas, fields_of};

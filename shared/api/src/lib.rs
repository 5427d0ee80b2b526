//! How the functions are called: HTTP requests in and responses out, each with its request id, with credentials, fields, pages
//! and errors; and whatever else triggers a function.

mod caller;
mod calls;
mod credentials;
mod cursor;
pub mod document;
mod error;
mod error_shape;
mod event_fields;
mod fields;
mod gzip;
pub mod invocation;
mod kept_event;
mod operation;
mod operator;
mod pages;
mod request;
mod response;
mod rotation;
mod routes;
mod serve;
mod shared_credentials;
mod tenant_ref;
pub mod trigger;

pub use caller::{Caller, Held};
pub use calls::{Call, Calls, used_before};
pub use credentials::Credentials;
pub use cursor::{Cursor, Pagination, Paging};
pub use error::{ApiError, Details, Failed, Told, ToldFault, UsedUp};
pub use error_shape::{ErrorShape, Meta, MetaFailed, PlainFailed};
pub use event_fields::{EventFields, event_data, event_type};
pub use fields::Fields;
pub use gzip::gzipped;
pub use kept_event::kept_event;
pub use operation::{About, Answer, Body, Operation, Parameter, Refusal};
pub use operator::OperatorCredentials;
pub use pages::{ShownPage, fits_an_answer};
pub use request::Request;
pub use response::Response;
pub use rotation::{Rotated, Rotation, RotationRequest};
pub use routes::{
    Access, AnybodyAccess, Credential, Handler, KeyAccess, OperatorAccess, Route, Routed, Sessions, SharedAccess,
    VARIABLES,
};
pub use serve::serve;
pub use shared_credentials::{SharedCaller, SharedCredentials};
pub use tenant_ref::{TenantRef, being_deleted, tenant_id_in_path, tenant_in_path};

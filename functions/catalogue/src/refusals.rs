//! What the routes refuse in words of their own.

use postrider_api::ApiError;
use postrider_domain::catalogue::MAX_TYPES;
use postrider_domain::invalid::Invalid;

pub(crate) fn not_ours_to_change() -> ApiError {
    ApiError::unprocessable(Invalid::new(
        "name",
        "a type of the deployment's: this one comes with Postrider, and stays",
    ))
}

pub(crate) fn taken() -> ApiError {
    ApiError::conflict("there is an event type of this name; PATCH /v1/event-types/{name} changes it")
}

pub(crate) fn overtaken() -> ApiError {
    ApiError::conflict("this event type is being changed by others at the same time; try again")
}

pub(crate) fn no_room() -> Invalid {
    Invalid::new("name", format!("at most {MAX_TYPES} event types: delete one first"))
}

pub(crate) fn full() -> ApiError {
    ApiError::unprocessable(no_room())
}

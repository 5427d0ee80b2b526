//! What the routes do, for the API's document.

use postrider_api::document::TypeOfEvent;
use postrider_api::{ApiError, Operation};
use postrider_domain::catalogue::{MAX_TYPES, Refusal};
use postrider_domain::invalid::Invalid;
use postrider_domain::schema::Fault;

use crate::bounds::MAX_DOCUMENT_BYTES;
use crate::refusals::{full, not_ours_to_change, overtaken, taken};
use crate::requests::{ChangeEventType, CreateEventType, ImportDocument};
use crate::view::{EventType, EventTypes, Imported};

const UNFIT: &str = "The example does not satisfy the schema.";

fn unfit() -> ApiError {
    Refusal::UnfitExample(vec![Fault { path: "/amount".to_owned(), message: "expected integer".to_owned() }]).into()
}

fn of_a_type(id: &'static str, summary: &'static str, about: &'static str) -> Operation {
    Operation::new(id, summary, about).of::<TypeOfEvent>("name", "The type's name.")
}

pub(crate) fn list() -> Operation {
    let about = "In order of their names, those that come with Postrider among them. Every key may see them.";
    Operation::new("listEventTypes", "List event types", about)
        .query::<String>("prefix", "Those alone whose names begin so.")
        .query::<bool>("deprecated", "`true` lists those too that are deprecated; without it they are left out.")
        .paged("50 where nothing is said. A page ends early where its types are long.")
        .answers::<EventTypes>(200, "A page of event types.")
}

pub(crate) fn create() -> Operation {
    let about = format!(
        "From then on, within a minute, events of this type are held to its schema, whichever way they come. At most {MAX_TYPES} types."
    );
    Operation::new("createEventType", "Make an event type", about)
        .repeatable()
        .takes::<CreateEventType>()
        .answers::<EventType<'static>>(201, "The type.")
        .refuses(taken(), "The name is taken, or others change the type at the same time.")
        .refuses(full(), format!("There are {MAX_TYPES} types."))
        .refuses(unfit(), UNFIT)
}

pub(crate) fn get() -> Operation {
    of_a_type("getEventType", "Show an event type", "").answers::<EventType<'static>>(200, "The type.")
}

pub(crate) fn change() -> Operation {
    let about = "A changed schema counts within a minute everywhere, and for rows of producers from a minute after the change on.";
    of_a_type("changeEventType", "Change an event type", about)
        .takes::<ChangeEventType>()
        .answers::<EventType<'static>>(200, "The type after the change.")
        .refuses(overtaken(), "Others change it at the same time.")
        .refuses(not_ours_to_change(), "It comes with Postrider.")
        .refuses(unfit(), UNFIT)
}

pub(crate) fn delete() -> Operation {
    of_a_type("deleteEventType", "Delete an event type", "Events of this type keep it, and are sent.")
        .answers_nothing(204, "It is gone. Events of this type are not held to its schema any more, within a minute.")
        .refuses(overtaken(), "Others change it at the same time.")
        .refuses(not_ours_to_change(), "It comes with Postrider.")
}

pub(crate) fn import() -> Operation {
    let about = "Takes the webhooks of an OpenAPI 3.1 document: each name becomes a type, or changes the one that there is to what the \
                 document says. Schemas that a webhook refers to are taken along. What is amiss with one is told in the answer, and the \
                 others are taken. Repeating it changes nothing more.";
    Operation::new("importEventTypes", "Take event types from an OpenAPI document", about)
        .takes::<ImportDocument>()
        .answers::<Imported>(200, "What became of each webhook of the document.")
        .refuses(
            ApiError::too_large("body", MAX_DOCUMENT_BYTES),
            format!("The document has more than {MAX_DOCUMENT_BYTES} bytes."),
        )
        .refuses(Invalid::new("openapi", "a version of OpenAPI 3.1, such as `3.1.1`"), "It is no such document.")
}

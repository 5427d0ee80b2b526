//! The catalogue of event types.

use crate::texts::event_types::EventTypes;

pub(super) const TEXTS: EventTypes = EventTypes {
    title: "Event types",
    means: "What a webhook can ask for. Open a type to see what its events say.",
    begins_with: "Begins with",
    begins_with_means: "Such as invoice.",
    deprecated_too: "Also those that go out of use",
    show: "Show",
    none: "The catalogue is empty",
    none_means: "Nobody has described an event type yet. A webhook can still ask for types by their names, or for all of them with *.",
    none_such: "There is no such type",
    none_such_means: "Give fewer letters, or none, to see all types.",
    none_here: "There is none on this page. Look further on.",
    deprecated: "goes out of use",
    deprecated_means: "Events of this type still come. Do not begin with it any more.",
    own: "about webhooks",
    own_means: "This type tells what happens to your webhooks themselves. A webhook has to ask for it by its name or by webhook.*; the * alone does not take it.",
    no_description: "Nobody has described it.",
    asking: |count| {
        if count == 1 { "1 webhook asks for it".to_owned() } else { format!("{count} webhooks ask for it") }
    },
    who_asks: "Your webhooks that ask for it",
    nobody_asks: "None of your webhooks asks for it.",
    new_webhook: "Make a webhook for it",
    its_events: "See its events",
    example: "Example",
    example_means: "What data of such an event looks like.",
    no_example: "There is no example. A test of a webhook with this type needs data that you write yourself.",
    schema: "Schema",
    schema_means: "JSON Schema for data: an event that does not fit it is refused.",
    no_schema: "There is no schema: data may be any object.",
};

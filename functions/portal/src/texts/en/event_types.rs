//! The catalogue of event types.

use crate::texts::event_types::EventTypes;

pub(super) const TEXTS: EventTypes = EventTypes {
    title: "Event types",
    means: "What a webhook can be subscribed to. Open a type to see what its events say.",
    begins_with: "Begins with",
    begins_with_means: |prefix| format!("Such as {prefix}"),
    deprecated_too: "Include deprecated",
    show: "Show",
    none: "The catalogue is empty",
    none_means: "Nobody has described an event type yet. A webhook can still be subscribed to types by their names, or to all of them with *.",
    none_such: "There is no such type",
    none_such_means: "Give fewer letters, or none, to see all types.",
    none_here: "There is none on this page. Look further on.",
    deprecated: "deprecated",
    deprecated_means: "This type is deprecated: its events still come, but do not begin to use it.",
    own: "about your webhooks themselves",
    own_means: "This type tells what happens to your webhooks themselves. A webhook is sent it only if it is subscribed to it by name or to webhook.*; the * alone does not include it.",
    no_description: "Nobody has described it.",
    asking: |count| {
        if count == 1 {
            "1 webhook is subscribed to it".to_owned()
        } else {
            format!("{count} webhooks are subscribed to it")
        }
    },
    who_asks: "Your webhooks that are subscribed to it",
    nobody_asks: "None of your webhooks is subscribed to it.",
    new_webhook: "Create a webhook for it",
    its_events: "See its events",
    example: "Example",
    example_means: "What data of such an event looks like.",
    no_example: "There is no example. A test of a webhook with this type needs data that you write yourself.",
    schema: "Schema",
    schema_means: "JSON Schema for data: an event that does not fit it is refused.",
    no_schema: "There is no schema: data may be any object.",
};

//! Das Verzeichnis der Ereignistypen.

use crate::texts::event_types::EventTypes;

pub(super) const TEXTS: EventTypes = EventTypes {
    title: "Ereignistypen",
    means: "Was ein Webhook abonnieren kann. Öffnen Sie einen Typ, um zu sehen, was seine Ereignisse sagen.",
    begins_with: "Beginnt mit",
    begins_with_means: |prefix| format!("Zum Beispiel {prefix}"),
    deprecated_too: "Auch veraltete",
    show: "Zeigen",
    none: "Das Verzeichnis ist leer",
    none_means: "Noch hat niemand einen Ereignistyp beschrieben. Ein Webhook kann trotzdem Typen mit ihren Namen abonnieren, oder mit * alle.",
    none_such: "So einen Typ gibt es nicht",
    none_such_means: "Geben Sie weniger Buchstaben an oder gar keine, um alle Typen zu sehen.",
    none_here: "Auf dieser Seite ist keiner. Sehen Sie weiter hinten nach.",
    deprecated: "veraltet",
    deprecated_means: "Dieser Typ ist veraltet: Seine Ereignisse kommen noch. Fangen Sie nicht mehr neu damit an.",
    own: "über Ihre Webhooks selbst",
    own_means: "Dieser Typ sagt, was mit Ihren Webhooks selbst geschieht. Ein Webhook muss ihn mit Namen oder mit webhook.* abonnieren; das * allein nimmt ihn nicht mit.",
    no_description: "Niemand hat ihn beschrieben.",
    asking: |count| {
        if count == 1 {
            "1 Webhook hat ihn abonniert".to_owned()
        } else {
            format!("{count} Webhooks haben ihn abonniert")
        }
    },
    who_asks: "Ihre Webhooks, die ihn abonniert haben",
    nobody_asks: "Keiner Ihrer Webhooks hat ihn abonniert.",
    new_webhook: "Einen Webhook dafür anlegen",
    its_events: "Seine Ereignisse zeigen",
    example: "Beispiel",
    example_means: "So sieht data eines solchen Ereignisses aus.",
    no_example: "Es gibt kein Beispiel. Ein Test eines Webhooks mit diesem Typ braucht data, die Sie selbst schreiben.",
    schema: "Schema",
    schema_means: "JSON Schema für data: Ein Ereignis, das nicht dazu passt, wird nicht angenommen.",
    no_schema: "Es gibt kein Schema: data kann jedes Objekt sein.",
};

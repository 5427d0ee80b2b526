//! Die Liste der Webhooks.

use crate::texts::webhooks::Webhooks;

pub(super) const TEXTS: Webhooks = Webhooks {
    title: "Webhooks",
    new: "Neuer Webhook",
    none: "Es gibt noch keinen Webhook",
    none_means: "Ein Webhook ist eine Adresse bei Ihnen, an die Ereignisse gesendet werden, sobald sie geschehen. Legen Sie einen an, um zu beginnen.",
    none_to_see: "Diese Sitzung sieht keinen Webhook.",
    none_on_page: "Auf dieser Seite steht keiner.",
    deleted: "Der Webhook ist gelöscht.",
    asks_for: "Abonniert",
    and_more: |count| format!("und {count} weitere"),
    filtered: "mit Filter",
    disabled_since: "Es wird nichts gesendet seit",
    down_since: "Dort antwortet niemand seit",
    draining_since: "Er antwortet wieder; was gewartet hat, wird gesendet, seit",
    limited_since: "Es wartet mehr, als er Anfragen je Sekunde zulässt, seit",
    failing_since: "Alle Zustellungen scheitern seit",
    picture: |name| {
        format!(
            "Die letzten 24 Stunden von {name}: über der Linie, was zugestellt wurde, darunter, was gescheitert ist"
        )
    },
    rate: |part| format!("{part} in den letzten 24 Stunden zugestellt"),
    nothing_sent: "In den letzten 24 Stunden wurde nichts gesendet.",
    nothing_ended: "In den letzten 24 Stunden wurde nichts zugestellt, und nichts ist gescheitert.",
    waiting: |count| if count == "1" { "1 wartet".to_owned() } else { format!("{count} warten") },
    last_failure: "Zuletzt gescheitert:",
    no_failure: "Jetzt ist keine Zustellung gescheitert.",
    not_counted: "Das lässt sich gerade nicht zählen.",
    show_all: "Zustellquoten und letzte Fehlschläge zeigen",
};

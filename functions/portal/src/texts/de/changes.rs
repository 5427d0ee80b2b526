//! Wer was geändert hat.

use crate::texts::changes::Changes;

pub(super) const TEXTS: Changes = Changes {
    title: "Änderungen",
    means: "Wer welchen Webhook angelegt, geändert, angehalten, wieder eingeschaltet oder gelöscht hat, das Neueste zuerst.",
    none: "Niemand hat etwas geändert",
    none_means: "Sobald jemand einen Webhook anlegt oder ändert, steht es hier, und wer es war.",
    none_here: "Unter den neuesten Ereignissen ist keine Änderung. Sehen Sie unter den älteren nach.",
    unseen: "Diese Sitzung sieht nicht, wer was geändert hat",
    unseen_means: "Sie ist nur für einige der Webhooks, die Liste ist aber von allen. Wer Ihren Link gemacht hat, kann einen für alle machen.",
    time: "Zeit",
    who: "Wer",
    what: "Was",
    this_session: "Sie, in dieser Sitzung",
    session: |id| format!("jemand in einer anderen Sitzung ({id})"),
    key: |id| format!("ein API-Schlüssel ({id})"),
    postrider: "der Absender selbst",
    nobody_known: "unbekannt",
    created: "angelegt",
    deleted: "gelöscht",
    enabled: "wieder eingeschaltet",
    disabled: "angehalten",
    updated: |fields| format!("geändert: {fields}"),
    updated_somehow: "geändert",
    field: |name| {
        Some(match name {
            "url" => "Adresse",
            "events" => "Ereignistypen",
            "name" => "Name",
            "description" => "Beschreibung",
            "metadata" => "Metadaten",
            "content_type" => "Content-Type",
            "headers" => "Header",
            "timeout_seconds" => "Zeitlimit",
            "retry_schedule" => "Wiederholungen",
            "rate_limit" => "Anfragen je Sekunde",
            "filter" => "Filter",
            "secret" => "Geheimnis",
            _ => return None,
        })
    },
    as_event: "Einzelheiten",
    hear: "Auch ein Webhook kann von Änderungen erfahren: Lassen Sie ihn webhook.* abonnieren.",
    unread: "Das lässt sich gerade nicht lesen.",
};

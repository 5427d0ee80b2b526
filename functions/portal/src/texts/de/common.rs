//! Was auf jeder Seite steht.

use crate::texts::common::{Common, Enter};

pub(super) const TEXTS: Common = Common {
    portal: "Webhooks",
    skip: "Zum Inhalt springen",
    navigation: "Hauptmenü",
    webhooks: "Webhooks",
    events: "Ereignisse",
    event_types: "Ereignistypen",
    jobs: "Aufträge",
    doctor: "Signaturprüfung",
    changes: "Änderungen",
    sign_out: "Abmelden",
    signed_out: "Sie sind abgemeldet",
    signed_out_means: "Diese Sitzung ist beendet. Für eine neue brauchen Sie einen neuen Link. Sie bekommen ihn dort, wo Sie diesen gefunden haben.",
    signed_out_here: "Dieser Browser hat die Sitzung vergessen. Sie selbst ließ sich aber gerade nicht beenden: vielleicht läuft sie weiter, bis ihre Zeit um ist. Wer Ihren Link gemacht hat, kann sie beenden.",
    back: "Zurück zur Anwendung",
    ends: "Diese Sitzung endet am",
    for_tenant: |name| format!("für {name}"),
    older: "Ältere",
    newest: "Neueste",
    pages: "Seiten",
    look_again: "Noch einmal nachsehen",
    copy: "Kopieren",
    copied: "Kopiert",
    save: "Speichern",
    cancel: "Abbrechen",
    errors: "Bitte prüfen Sie diese Felder:",
    error: "Fehler",
    enter: Enter {
        title: "Ihre Webhooks",
        means: "Dieser Link lässt sich einmal öffnen. Weiter geht es zu Ihren Webhooks.",
        button: "Weiter",
        used: "Dieser Link lässt sich nicht mehr öffnen",
        used_means: "Ein Link lässt sich nur einmal und nur wenige Minuten lang öffnen. Bitte holen Sie sich dort einen neuen, wo Sie diesen gefunden haben.",
        already: "In diesem Browser läuft schon eine Sitzung. Ein Link, der sich öffnet, tritt an ihre Stelle und beendet sie.",
        already_for: |name| {
            format!(
                "In diesem Browser läuft eine Sitzung für {name}. Ein Link, der sich öffnet, tritt an ihre Stelle und beendet sie."
            )
        },
        go_on: "In der laufenden Sitzung bleiben",
        go_on_for: |name| format!("Weiter als {name}"),
    },
};

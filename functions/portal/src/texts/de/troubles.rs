//! Was eine Seite sagt, die nicht zeigen kann, worum gebeten wurde.

use crate::texts::troubles::Troubles;

pub(super) const TEXTS: Troubles = Troubles {
    ended: (
        "Bitte holen Sie sich einen neuen Link",
        "Hier gibt es keine Sitzung, oder sie ist zu Ende. Ein neuer Link führt wieder herein: Sie bekommen ihn dort, wo Sie den letzten gefunden haben.",
    ),
    forbidden: (
        "Das darf diese Sitzung nicht",
        "Sie hat dieses Recht nicht. Wer Ihren Link gemacht hat, kann einen mit mehr Rechten machen.",
    ),
    not_found: ("Das gibt es nicht", "Es hat nie bestanden, wurde gelöscht, oder diese Sitzung sieht es nicht."),
    no_page: ("Diese Seite gibt es nicht", "Die Adresse führt nirgendwohin. Vielleicht wurde sie nicht ganz kopiert."),
    no_method: ("So lässt sich diese Adresse nicht aufrufen", "Diese Art von Anfrage kennt sie nicht."),
    forged: (
        "Dieses Formular kam nicht von hier",
        "Es wurde von einer anderen Seite oder aus einer früheren Sitzung gesendet. Nichts wurde geändert. Bitte gehen Sie zurück, laden Sie die Seite neu, und senden Sie es von dort.",
    ),
    refused: ("Das wurde nicht angenommen", "Nichts wurde geändert."),
    too_long: (
        "Das ist zu lang",
        "Nichts wurde geändert. Was Sie gesendet haben, ist länger, als ein Formular sein darf.",
    ),
    busy: ("Im Augenblick ist zu viel zu tun", "Bitte warten Sie einen Moment, und versuchen Sie es noch einmal."),
    failed: (
        "Hier ging etwas schief",
        "Es liegt nicht an Ihnen. Bitte versuchen Sie es gleich noch einmal; wenn Sie etwas gesendet haben, sehen Sie erst nach, ob es angekommen ist.",
    ),
    kept_busy: "Im Augenblick ist zu viel zu tun. Was Sie eingegeben haben, steht noch da: Bitte warten Sie einen Moment, und senden Sie es noch einmal.",
    kept_failed: |id| {
        format!(
            "Hier ging etwas schief. Es liegt nicht an Ihnen. Was Sie eingegeben haben, steht noch da: Sehen Sie erst nach, ob es angekommen ist, und senden Sie es dann noch einmal. Wenn Sie um Hilfe bitten, nennen Sie diese Anfrage: `{id}`"
        )
    },
    typed: "Was Sie eingegeben haben",
    typed_means: "Kopieren Sie hier, was Sie noch brauchen.",
    reason: "Der Grund:",
    reference: "Wenn Sie um Hilfe bitten, nennen Sie diese Anfrage:",
    to_start: "Zu Ihren Webhooks",
};

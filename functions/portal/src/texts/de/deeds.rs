//! Was mit einem Webhook zu tun ist.

use crate::texts::deeds::{Cancel, Code, Deeds, Preview, Recover, Rotate, Test};

pub(super) const TEXTS: Deeds = Deeds {
    test: Test {
        title: "Test senden",
        means: "Er geht nur an diesen Webhook, signiert wie jedes Ereignis, und Sie sehen hier, ob er ankommt.",
        event: "Ereignistyp",
        event_hint: "Ohne Angabe einer, den dieser Webhook abonniert hat.",
        data: "Daten",
        data_hint: "Ein JSON-Objekt. Ohne Angabe das Beispiel des Typs.",
        send: "Den Test senden",
        not_json: "ein JSON-Objekt, etwa {\"invoice\": 4711}",
        is_paused: "Der Webhook ist angehalten: Schalten Sie ihn erst wieder ein, sonst würde sein Test nur abgebrochen.",
    },
    recover: Recover {
        title: "Verpasstes nachholen",
        means: "Wählen Sie, was noch einmal gesendet wird. Bevor etwas gesendet wird, sehen Sie, wie viel es ist.",
        since: "Ereignisse von (UTC)",
        since_hint: "Es beginnt mit dem ersten Fehlschlag, spätestens vor 24 Stunden.",
        until: "Ereignisse bis (UTC)",
        until_hint: "Ohne Angabe bis jetzt.",
        what: "Welche Ereignisse",
        missed: "Was dieser Webhook verpasst hat",
        missed_hint: "Was gescheitert ist, was abgebrochen wurde, solange er angehalten war, und was seit über einer Stunde wartet.",
        held_back: "Was seine Ereignistypen oder sein Filter zurückgehalten haben, gehört nicht dazu:",
        see_events: "unter Ereignisse steht, was wohin gesendet wurde, und warum nicht",
        never_matched: "Was er damals nicht abonniert hatte",
        never_matched_hint: "Ereignisse, die er damals nicht abonniert hatte, und die er, so wie er jetzt ist, bekäme.",
        statuses: "Nur manche davon",
        statuses_hint: "Vom Verpassten nur solche, die",
        failed: "gescheitert sind",
        cancelled: "abgebrochen wurden",
        pending: "nie versucht wurden",
        retrying: "auf einen weiteren Versuch warten: Sie werden sofort versucht",
        events: "Nur diese Ereignistypen",
        events_hint: |one, pattern| format!("Etwa {one} oder {pattern}, mit Leerzeichen dazwischen. Ohne Angabe alle."),
        count: "Zählen",
        found: |count| {
            if count == 1 {
                "1 Ereignis würde gesendet.".to_owned()
            } else {
                format!("{count} Ereignisse würden gesendet.")
            }
        },
        found_at_least: |count| {
            format!(
                "Mindestens {count} Ereignisse würden gesendet: Es sind zu viele, um alle zu zählen. Eine kürzere Zeit lässt sich zählen."
            )
        },
        none_found: "Es gibt nichts zu senden",
        none_found_means: "Aus dieser Zeit wurde auf diese Weise nichts verpasst. Wählen Sie einen früheren Anfang oder eine andere Art.",
        send: |count| {
            if count == 1 { "1 Ereignis jetzt senden".to_owned() } else { format!("{count} Ereignisse jetzt senden") }
        },
        send_means: "Ihr Empfänger bekommt jedes unter der ID, die es schon hatte.",
        progress: "Verpasstes wird nachgeholt",
        running: "Es geht von selbst weiter, auch wenn Sie diese Seite verlassen.",
        done: "Fertig. Welche davon angekommen sind, zeigt die Liste der Zustellungen.",
        so_far: |found, sent| format!("{sent} von {found} noch einmal gesendet"),
        others: "Die anderen waren schon unterwegs oder warten mit allem, was für den Webhook ist.",
        span: "Ereignisse von",
        see_deliveries: "Die Zustellungen ansehen",
    },
    cancel: Cancel {
        title: "Wartende Zustellungen abbrechen",
        means: "Nichts, was jetzt für diesen Webhook wartet, wird noch gesendet, weder zum ersten Mal noch wieder. Später können Sie es nachholen: Wählen Sie „Verpasstes nachholen“ und dort, was abgebrochen wurde.",
        waiting: |count| {
            if count == 1 {
                "1 Zustellung der letzten 30 Tage wartet.".to_owned()
            } else {
                format!("{count} Zustellungen der letzten 30 Tage warten.")
            }
        },
        waiting_at_least: |count| format!("Mindestens {count} Zustellungen der letzten 30 Tage warten."),
        nothing_waits: "Für diesen Webhook wartet keine Zustellung der letzten 30 Tage.",
        waits_longer: "Abbrechen, was vielleicht länger wartet",
        confirm: "Alle abbrechen",
        keep: "Nicht abbrechen",
        progress: "Wartende Zustellungen werden abgebrochen",
        running: "Es geht von selbst weiter, auch wenn Sie diese Seite verlassen.",
        done: "Von dem, was damals wartete, wartet nichts mehr.",
        so_far: |found, cancelled| format!("{cancelled} von {found} abgebrochen"),
        asked_at: "Abgebrochen wird, was wartete um",
        see_deliveries: "Die Zustellungen ansehen",
    },
    rotate: Rotate {
        title: "Geheimnis wechseln",
        means: "Ein neues Geheimnis wird gemacht und einmal gezeigt. Das alte gilt noch eine Weile, damit Sie das neue Ihrem Empfänger in Ruhe geben können.",
        means_both: "Solange trägt jede Anfrage eine Signatur von beiden: Ein Empfänger, der eines davon kennt, kommt zurecht.",
        means_old: "Solange werden Anfragen mit dem alten signiert, und vom Ende dieser Zeit an mit dem neuen: Bis dahin muss Ihr Empfänger beide annehmen.",
        grace: "Das alte Geheimnis gilt noch",
        grace_hint: "Wählen Sie „gar nicht“ nur, wenn jemand anders es kennt.",
        at_once: "gar nicht",
        hour: "eine Stunde",
        day: "einen Tag",
        week: "eine Woche",
        own: "Ein eigenes Geheimnis",
        own_hint: "Ohne Angabe wird eines gemacht.",
        make: "Jetzt wechseln",
        made: "Das neue Geheimnis",
        made_means: "Kopieren Sie es jetzt: Es wird nur dieses eine Mal gezeigt, und niemand kann es noch einmal zeigen.",
        sent_already: "Dieses Formular wurde schon einmal gesendet, und das Geheimnis, das dabei entstand, wurde da gezeigt. Jetzt wurde nichts geändert. Wenn Sie jenes Geheimnis verloren haben, machen Sie ein weiteres.",
        secret: "Geheimnis",
        old_until: "Das alte gilt bis",
        old_ended: "Das alte gilt nicht mehr.",
        next: "Geben Sie es Ihrem Empfänger neben dem alten, und nehmen Sie das alte heraus, wenn seine Zeit um ist.",
    },
    code: Code {
        title: "Signaturen prüfen",
        means: "Jede Anfrage an diesen Webhook ist mit seinem Geheimnis signiert. Kopieren Sie das Programm für Ihren Empfänger: Es unterscheidet unsere Anfragen von denen anderer.",
        header: "Header",
        signed: "Was signiert ist",
        signed_body: "der Body, Byte für Byte",
        signed_dated: "ID, Zeit und Body, durch Punkte verbunden",
        key: "Schlüssel",
        key_whole: "das Geheimnis als ganzer Text",
        key_decoded: |prefix| format!("was das Base64 hinter {prefix} im Geheimnis sagt"),
        unsigned: "Anfragen eines Webhooks ohne Geheimnis tragen keine Signatur. Hat dieser keines, geben Sie ihm erst eines: Wählen Sie „Geheimnis wechseln“.",
        bytes: "Prüfen Sie die Bytes des Bodys, wie sie kamen, bevor etwas sie liest: JSON, das gelesen und wieder geschrieben wurde, hat andere.",
        replays: "Diese Signatur schließt keine Zeit ein, also könnte jemand noch einmal senden, was er mitgehört hat: Merken Sie sich jede ID.",
        doctor: "Passt keine Signatur? Die Signaturprüfung sagt, warum.",
        file: "Datei",
    },
    preview: Preview {
        title: "Anfrage ansehen",
        means: "Was Ihr Empfänger von einem Ereignis bekäme, Byte für Byte. Nichts wird gesendet oder behalten.",
        event: "Ereignistyp",
        data: "Daten (JSON)",
        show: "Die Anfrage zeigen",
        would_send: "Dieses Ereignis würde an diesen Webhook gesendet.",
        would_not: "Dieses Ereignis würde nicht an diesen Webhook gesendet:",
        request: "Die Anfrage",
        headers: "Header",
        body: "Body",
        schedule: "Scheitert sie, wird sie wiederholt nach",
        no_schedule: "Scheitert sie, wird sie nicht wiederholt.",
    },
};

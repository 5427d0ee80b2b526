//! Ein Ereignis: wer es bekommen hat, und warum andere nicht.

use postrider_domain::withheld::NotDelivered;

use crate::texts::event::Event;

pub(super) const TEXTS: Event = Event {
    id: "ID des Ereignisses",
    time: "Zeit",
    tags: "Tags",
    test: "Das ist ein Test eines einzelnen Webhooks und geht nur an diesen.",
    of_job: "Das sagt, wie ein Auftrag ausgegangen ist. Es geht an die Adresse, die mit dem Auftrag kam, und an keinen Ihrer Webhooks.",
    webhooks: "Wer es bekommen hat, und wer nicht",
    no_webhook: "Sie haben keinen Webhook, an den es gesendet werden könnte",
    no_webhook_means: "Legen Sie einen Webhook an, der diesen Typ abonniert. Dann können Sie ihm dieses Ereignis von hier aus senden.",
    new_webhook: "Neuer Webhook für diesen Typ",
    not_sent: |count| format!("{count} nicht gesendet"),
    not_sent_to_it: "nicht gesendet",
    under_way: "unterwegs",
    under_way_means: "Es hat eben erst begonnen. Laden Sie diese Seite gleich noch einmal.",
    why: |reason| match reason {
        NotDelivered::Deleted => ("Dieser Webhook wurde gelöscht.", "An ihn wird nichts mehr gesendet."),
        NotDelivered::Dialect => (
            "Dieser Webhook kann keine Ereignisse dieses Typs bekommen.",
            "Er spricht ein Format mit eigenen Typen. Ein anderer Webhook kann diesen Typ abonnieren.",
        ),
        NotDelivered::CreatedLater => (
            "Dieser Webhook wurde erst nach dem Ereignis angelegt.",
            "Ein Webhook bekommt, was geschieht, seit es ihn gibt. Sie können ihm dieses Ereignis jetzt senden, oder alles, was er verpasst hat.",
        ),
        NotDelivered::ChangedSince => (
            "Dieser Webhook hatte das Ereignis damals nicht abonniert.",
            "Heute bekäme er es: Seine Ereignistypen oder sein Filter wurden seither geändert. Sie können ihm dieses Ereignis jetzt senden, oder alles, was er verpasst hat.",
        ),
        NotDelivered::NotSubscribed => (
            "Dieser Webhook hat diesen Typ nicht abonniert.",
            "Nehmen Sie den Typ in seine Ereignisse auf, dann bekommt er die, die noch kommen. Dieses können Sie ihm jetzt senden.",
        ),
        NotDelivered::Filtered => (
            "Der Filter dieses Webhooks lässt dieses Ereignis nicht durch.",
            "Ändern Sie den Filter, wenn er es durchlassen soll. Dieses Ereignis können Sie ihm jetzt senden.",
        ),
    },
    at_what: "Was der Filter sagt:",
    is_disabled: "Der Webhook ist angehalten. Schalten Sie ihn erst wieder ein, dann kann ihm dieses Ereignis gesendet werden.",
    taken: |attempts| {
        if attempts == 1 {
            "Ihr Empfänger hat es beim ersten Versuch angenommen.".to_owned()
        } else {
            format!("Ihr Empfänger hat es angenommen; es gab {attempts} Versuche.")
        }
    },
    not_tried: "Noch wurde nichts versucht.",
    tried: |attempts| {
        if attempts == 1 {
            "Ein Versuch ist gescheitert.".to_owned()
        } else {
            format!("{attempts} Versuche sind gescheitert.")
        }
    },
    next_attempt: "Der nächste folgt am",
    attempts: "Zeigen, was geschehen ist",
    to_job: "An die Adresse des Auftrags",
    deleted_webhooks: |count| {
        if count == 1 {
            "Ein Webhook wurde seither gelöscht".to_owned()
        } else {
            format!("{count} Webhooks wurden seither gelöscht")
        }
    },
    send: "Jetzt an diesen Webhook senden",
    mend_types: "Seine Ereignistypen ändern",
    mend_filter: "Seinen Filter ändern",
    send_missed: "Alles nachholen, was er verpasst hat",
    not_taken: "Es wurde nicht gesendet.",
    more_webhooks: "Weitere Webhooks",
    data: "Was es sagt",
    data_means: "Das ist data, wie es veröffentlicht wurde. Das Format jedes Webhooks packt es in einen Umschlag eigener Art.",
    expunged: "Der Inhalt dieses Ereignisses wurde auf Verlangen entfernt, am",
    of_this_type: "Alle Ereignisse dieses Typs",
};

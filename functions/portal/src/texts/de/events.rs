//! Die Liste der Ereignisse.

use postrider_domain::delivery::Status;

use crate::texts::events::Events;

pub(super) const TEXTS: Events = Events {
    title: "Ereignisse",
    means: "Alles, was geschehen ist, das Neueste zuerst, auch was keiner Ihrer Webhooks abonniert hatte. Öffnen Sie ein Ereignis, um zu sehen, wer es bekommen hat und warum andere nicht.",
    find: "Ein Ereignis suchen",
    find_means: "Nach seiner ID. Ihr Empfänger bekommt sie im Header webhook-id oder als id im Body.",
    id: "ID des Ereignisses",
    find_it: "Suchen",
    not_found: |id| {
        format!(
            "Ein Ereignis {id} gibt es nicht. Vielleicht ist die ID falsch geschrieben, oder es ist zu alt und wird nicht mehr aufbewahrt."
        )
    },
    narrow: "Diese Liste filtern",
    event_type: "Ereignistyp",
    event_type_means: |one| format!("Der ganze Name, zum Beispiel {one}"),
    since: "Ab",
    until: "Vor",
    in_utc: "in UTC",
    no_time: "Bitte geben Sie Tag und Uhrzeit an, zum Beispiel 2026-01-15 14:30.",
    show: "Zeigen",
    show_all: "Alle zeigen",
    time: "Zeit",
    event: "Ereignis",
    deliveries: "Zustellungen",
    test: "Test",
    count: |status, count| match status {
        Status::Pending if count == 1 => "1 wartet".to_owned(),
        Status::Pending => format!("{count} warten"),
        Status::Retrying if count == 1 => "1 wird wiederholt".to_owned(),
        Status::Retrying => format!("{count} werden wiederholt"),
        Status::Succeeded => format!("{count} zugestellt"),
        Status::Failed => format!("{count} gescheitert"),
        Status::Cancelled => format!("{count} abgebrochen"),
    },
    nobody: "nicht gesendet: warum?",
    unread: "öffnen, um es zu sehen",
    nothing_amiss: "nichts offen",
    undelivered_alone: "Sie haben so viele Webhooks, dass diese Liste nur zeigt, was nicht zugestellt wurde. Öffnen Sie ein Ereignis, um alle seine Zustellungen zu sehen.",
    none: "Es gibt noch kein Ereignis",
    none_means: "Ereignisse erscheinen hier, kurz nachdem sie geschehen sind. Um eines ankommen zu sehen, öffnen Sie einen Webhook und senden ihm einen Test.",
    none_such: "So ein Ereignis gibt es nicht",
    none_such_means: "Wählen Sie einen längeren Zeitraum, einen anderen Typ, oder lassen Sie beides weg.",
    none_here: "Unter den neuesten Ereignissen ist keines. Sehen Sie unter den älteren nach.",
};

//! Ein Diagramm.

use crate::texts::chart::Chart;

pub(super) const TEXTS: Chart = Chart {
    title: "Was aus den Ereignissen wurde",
    describes: |succeeded, failed, since, until| {
        format!(
            "Von den Ereignissen zwischen {since} und {until} wurden {succeeded} zugestellt, und {failed} sind gescheitert."
        )
    },
    bucket: |from, succeeded, failed| format!("{from}: {succeeded} zugestellt, {failed} gescheitert"),
    delivered: "Zugestellt",
    failed: "Gescheitert",
    as_table: "Dasselbe als Tabelle",
    from: "Ab",
    newest: |seen| {
        format!(
            "Es sind so viele, dass nur die neuesten {seen} gezählt sind. Wählen Sie eine kürzere Zeit, um alles zu sehen."
        )
    },
    outcomes: "Wie die letzten Versuche ausgingen",
    outcome: "Ausgang",
    count: "Zustellungen",
    share: "Anteil",
    durations: "Wie lange die letzten Versuche dauerten",
    half: "50 % dauerten höchstens",
    most: "95 % dauerten höchstens",
    duration: "Dauer",
};

//! Aufträge, und ob ihr Ende mitgeteilt wurde.

use crate::texts::jobs::Jobs;

pub(super) const TEXTS: Jobs = Jobs {
    title: "Aufträge",
    means: "Was für Sie in Arbeit ist oder war, und ob Ihr Empfänger erfahren hat, wie es ausgegangen ist.",
    tasks: "Einzelne Aufträge",
    generations: "Aufträge mit mehreren Projekten",
    none: "Es gibt keinen Auftrag",
    none_means: "Hier stehen Aufträge, die über die API gestartet wurden, mit ihrem Ausgang und ob Ihr Empfänger davon erfahren hat. Ereignisse, die job.… heißen, stehen unter Ereignisse.",
    job: "Auftrag",
    status: "Stand",
    progress: "Fortschritt",
    created: "Gestartet",
    started: "Begonnen",
    ended: "Beendet",
    not_yet: "noch nicht",
    told: "Mitgeteilt",
    pending: "wartet",
    running: "läuft",
    completed: "fertig",
    partial: "zum Teil fertig",
    failed: "gescheitert",
    cancelled: "abgebrochen",
    done_of: |done, all| format!("{done} von {all} fertig"),
    percent: |percent| format!("{percent} %"),
    nobody_told: "niemandem",
    nobody_told_means: "Dieser Auftrag wurde ohne eine Adresse gestartet, deshalb erfährt niemand, wie er ausgegangen ist. Geben Sie beim nächsten eine an.",
    when_ended: "sobald er beendet ist",
    delivery: "Wer von seinem Ende erfahren hat",
    url: "Arbeitet an",
    platform: "Plattform",
    capabilities: "Verlangt",
    credits: "Credits",
    credits_of: |charged, estimated| format!("{charged} berechnet, {estimated} erwartet"),
    projects: "Projekte",
    project: "Projekt",
    video: "Video öffnen",
    attempts: "Zeigen, was geschehen ist",
    recover: "Verpasstes nachholen",
    recover_means: "Sendet noch einmal, was Ihre Empfänger von Aufträgen nicht erfahren haben, die in dieser Zeit beendet wurden. Zuerst wird nur gezählt.",
    since: "Aufträge, beendet ab",
    until: "und vor",
    count: "Zählen",
    counted: |found| match found {
        0 => "Es gibt nichts noch einmal zu senden.".to_owned(),
        1 => "Das Ende von 1 Auftrag würde noch einmal mitgeteilt.".to_owned(),
        found => format!("Das Ende von {found} Aufträgen würde noch einmal mitgeteilt."),
    },
    counted_at_least: |found| {
        format!(
            "Das Ende von mindestens {found} Aufträgen würde noch einmal mitgeteilt. Nicht alle wurden angesehen: Nehmen Sie einen kürzeren Zeitraum, um es genau zu wissen."
        )
    },
    nothing_to_recover: "Alles, was in dieser Zeit beendet wurde, ist mitgeteilt, oder es sollte niemand davon erfahren.",
    recover_now: |found| {
        if found == 1 { "Noch einmal senden".to_owned() } else { format!("Alle {found} noch einmal senden") }
    },
    needs_since: "Bitte sagen Sie, ab wann.",
    recovery: "Was noch einmal gesendet wird",
    recovery_running: "Es geht von selbst weiter. Sie können diese Seite verlassen.",
    recovery_done: "Es ist fertig.",
    found: "Gefunden",
    requeued: "Noch einmal gesendet",
    to_jobs: "Zu den Aufträgen",
    unread: "Das lässt sich gerade nicht lesen.",
};

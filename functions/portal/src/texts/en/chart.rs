//! A chart.

use crate::texts::chart::Chart;

pub(super) const TEXTS: Chart = Chart {
    title: "What became of the events",
    describes: |succeeded, failed, since, until| {
        format!("Of the events from {since} to {until}, {succeeded} were delivered and {failed} have failed.")
    },
    bucket: |from, succeeded, failed| format!("{from}: {succeeded} delivered, {failed} failed"),
    delivered: "Delivered",
    failed: "Failed",
    as_table: "The same as a table",
    from: "From",
    newest: |seen| {
        format!("There are so many that only the newest {seen} are counted. Choose a shorter time to see all of it.")
    },
    outcomes: "Outcomes of the last attempts",
    outcome: "Outcome",
    count: "Deliveries",
    share: "Share",
    durations: "How long the last attempts took",
    half: "50 % took at most",
    most: "95 % took at most",
    duration: "Time",
};

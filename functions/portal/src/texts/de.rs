//! German.

mod changes;
mod chart;
mod common;
mod deeds;
mod delivery;
mod doctor;
mod edit;
mod event;
mod event_types;
mod events;
mod jobs;
mod ledger;
mod troubles;
mod webhook;
mod webhooks;

use super::Texts;

pub(super) static TEXTS: Texts = Texts {
    changes: changes::TEXTS,
    chart: chart::TEXTS,
    common: common::TEXTS,
    deeds: deeds::TEXTS,
    delivery: delivery::TEXTS,
    doctor: doctor::TEXTS,
    event: event::TEXTS,
    event_types: event_types::TEXTS,
    events: events::TEXTS,
    jobs: jobs::TEXTS,
    edit: edit::TEXTS,
    ledger: ledger::TEXTS,
    troubles: troubles::TEXTS,
    webhook: webhook::TEXTS,
    webhooks: webhooks::TEXTS,
};

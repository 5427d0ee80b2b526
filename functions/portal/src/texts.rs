//! All that a page says, in each language. A text that one of them lacks does not compile.
//!
//! A noun's texts are a struct in `texts/<noun>.rs`, and a constant of it in `en/<noun>.rs` and `de/<noun>.rs`. A text with something in it
//! is a function. What the API itself says of what it refuses is English in both.

pub(crate) mod changes;
pub(crate) mod chart;
pub(crate) mod common;
mod de;
pub(crate) mod deeds;
pub(crate) mod delivery;
pub(crate) mod doctor;
pub(crate) mod edit;
mod en;
pub(crate) mod event;
pub(crate) mod event_types;
pub(crate) mod events;
pub(crate) mod jobs;
pub(crate) mod ledger;
pub(crate) mod troubles;
pub(crate) mod webhook;
pub(crate) mod webhooks;

use self::changes::Changes;
use self::chart::Chart;
use self::common::Common;
use self::deeds::Deeds;
use self::delivery::OneDelivery;
use self::doctor::Doctor;
use self::edit::Edit;
use self::event::Event;
use self::event_types::EventTypes;
use self::events::Events;
use self::jobs::Jobs;
use self::ledger::Ledger;
use self::troubles::Troubles;
use self::webhook::OneWebhook;
use self::webhooks::Webhooks;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    German,
}

impl Language {
    /// By its code, such as `de` or `de-AT`.
    pub(crate) fn named(code: &str) -> Option<Self> {
        match code.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "de" => Some(Self::German),
            _ => None,
        }
    }

    /// As HTML names it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    pub(crate) fn texts(self) -> &'static Texts {
        match self {
            Self::English => &en::TEXTS,
            Self::German => &de::TEXTS,
        }
    }
}

/// What takes something in: a name, a number, a time.
pub(crate) type With = fn(&str) -> String;

/// A language's texts, by noun.
#[derive(Debug)]
pub(crate) struct Texts {
    pub(crate) changes: Changes,
    pub(crate) chart: Chart,
    pub(crate) common: Common,
    pub(crate) deeds: Deeds,
    pub(crate) delivery: OneDelivery,
    pub(crate) doctor: Doctor,
    pub(crate) event: Event,
    pub(crate) event_types: EventTypes,
    pub(crate) events: Events,
    pub(crate) jobs: Jobs,
    pub(crate) edit: Edit,
    pub(crate) ledger: Ledger,
    pub(crate) troubles: Troubles,
    pub(crate) webhook: OneWebhook,
    pub(crate) webhooks: Webhooks,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_its_code() {
        for (code, expected) in [
            ("en", Some(Language::English)),
            ("de-AT", Some(Language::German)),
            ("DE", Some(Language::German)),
            ("fr", None),
            ("", None),
        ] {
            assert_eq!(Language::named(code), expected, "{code}");
        }
        for language in [Language::English, Language::German] {
            assert_eq!(Language::named(language.code()), Some(language));
        }
    }
}

//! Stream records: which event a record announces, and what is written down about one that is none.

use aws_lambda_events::dynamodb::EventRecord;
use jiff::Timestamp;
use postrider_aws::event_row;
use postrider_domain::catalogue::Refusal;
use postrider_domain::event::Event;
use postrider_domain::invalid::Invalid;
use postrider_domain::note::Note;
use postrider_domain::schema::Fault;
use postrider_domain::time;
use serde_dynamo::{AttributeValue, Item};
use serde_json::{Map, Value, json};

use crate::to_do::ToDo;

/// What a note in quarantine names as its source when a stream record is meant.
pub(crate) const SOURCE: &str = "events stream";

/// Why a note lies where fan-outs go on.
pub(crate) const GOES_ON: &str = "the rest of its webhooks";

/// Why a row is no event; nothing will make it one by itself, so it is set aside.
pub(crate) enum NoEvent {
    /// What came is no record of a row's; its text is nobody's to keep.
    NoRecord,
    /// What a note names is no key of a row's.
    NoKeys,
    /// Anybody who looks at the row sees it.
    AsItStands(Invalid),
    /// It would be one, had it been written at another time, or to a deployment with another dialect: the row alone does not tell.
    AsItWasWritten(Box<Event>, Invalid),
    /// The catalogue of its time does not take it.
    Refused(Box<Event>, Refusal),
}

impl NoEvent {
    /// In words for the note.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::NoRecord => "no record of the events table's stream".to_owned(),
            Self::NoKeys => "its row's keys are no tenant and event".to_owned(),
            Self::AsItStands(invalid) | Self::AsItWasWritten(_, invalid) => invalid.to_string(),
            Self::Refused(_, refusal) => refusal.invalid().to_string(),
        }
    }

    /// The same for the log, which is told nothing of what a producer wrote.
    pub(crate) fn logged(&self) -> String {
        match self {
            Self::Refused(_, refusal) => format!("the catalogue does not take its `{}`", refusal.invalid().field),
            _ => self.reason(),
        }
    }

    /// The event that it would be, where the row alone does not tell that it is none.
    pub(crate) fn untold(&self) -> Option<&Event> {
        match self {
            Self::AsItWasWritten(event, _) | Self::Refused(event, _) => Some(event),
            Self::NoRecord | Self::NoKeys | Self::AsItStands(_) => None,
        }
    }

    /// What is amiss within its data.
    pub(crate) fn faults(&self) -> &[Fault] {
        if let Self::Refused(_, refusal) = self { refusal.faults() } else { &[] }
    }
}

/// The event of a row that was written then, as far as that is known, where events are `kept` for so many seconds.
///
/// # Errors
/// [`NoEvent`].
pub(crate) fn event_of(row: Item, written: Option<Timestamp>, kept: i64) -> Result<Event, NoEvent> {
    let event = event_row::read(row).map_err(NoEvent::AsItStands)?;
    match event_row::check_type(&event).and_then(|()| event_row::check_times(&event, written, kept)) {
        Ok(()) => Ok(event),
        Err(invalid) => Err(NoEvent::AsItWasWritten(Box::new(event), invalid)),
    }
}

/// When the row was written, as the stream says; the epoch is what the library makes of a record that does not say.
pub(crate) fn written(record: &EventRecord) -> Option<Timestamp> {
    let at = Timestamp::from_millisecond(record.change.approximate_creation_date_time.timestamp_millis()).ok()?;
    (at > Timestamp::UNIX_EPOCH).then_some(at)
}

/// What is set aside for a record that is no event: its key, when it was written and the reason, never its data.
pub(crate) fn note(record: Option<&EventRecord>, reason: &str) -> Note {
    let Some(record) = record else { return Note::new(SOURCE).because(reason) };
    let text = |(name, value): (&String, &AttributeValue)| match value {
        AttributeValue::S(text) => Some((name.clone(), json!(text))),
        _ => None,
    };
    let keys: Map<String, Value> = record.change.keys.inner().iter().filter_map(text).collect();
    let tenant = keys.get("tenant_id").and_then(|tenant| tenant.as_str()?.parse().ok());
    Note::new(SOURCE)
        .of_tenant(tenant)
        .with("keys", keys)
        .with("sequence_number", json!(record.change.sequence_number))
        .with("written_at", json!(written(record).map(time::wire)))
        .because(reason)
}

/// The note about a fan-out that goes on, with when it first did: it is then told apart from one that has gone on for hours.
pub(crate) fn going_on_since(note: Note, since: Timestamp) -> Note {
    note.with("since", time::wire(since))
}

/// Since when the fan-out of a note's has gone on, if it has.
pub(crate) fn since(note: &Value) -> Option<Timestamp> {
    time::parse("since", note["since"].as_str()?).ok()
}

/// What such a note said, for another reason.
pub(crate) fn again(note: &Value, reason: &str) -> Note {
    let again = ToDo::of(note)
        .named_in(Note::new(SOURCE))
        .of_tenant(note["keys"]["tenant_id"].as_str().and_then(|tenant| tenant.parse().ok()))
        .with("keys", note["keys"].clone())
        .with("sequence_number", note["sequence_number"].clone())
        .with("written_at", note["written_at"].clone())
        .because(reason);
    match since(note) {
        Some(since) => going_on_since(again, since),
        None => again,
    }
}

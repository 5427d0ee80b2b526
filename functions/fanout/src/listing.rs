//! The list of events, which fan-out writes beside their deliveries: a row for all of a tenant's events in a batch. What cannot be
//! listed now is left as what cannot be fanned out is, and comes again by itself.

use std::time::Duration;

use postrider_aws::Failure;
use postrider_domain::event::Event;
use postrider_domain::event_list::{self, Packed};
use postrider_domain::note::Note;
use postrider_host::deadline;
use serde_json::Value;

use crate::handler::Fanout;

/// How long the stream's lane waits for the list.
const FOR_THE_LIST: Duration = Duration::from_secs(5);

/// What is still to be done with a note's event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToDo {
    /// Its deliveries; it is in the list.
    FanOut,
    /// Its place in the list, and nothing else.
    List,
    /// Both. Notes of earlier versions do not tell, and what comes to be an event only now is in no list.
    Both,
}

impl ToDo {
    const NAME: &str = "to_do";
    const FAN_OUT: &str = "fan out";
    const LIST: &str = "list";

    /// What a note says.
    pub(crate) fn of(note: &Value) -> Self {
        match note[Self::NAME].as_str() {
            Some(Self::FAN_OUT) => Self::FanOut,
            Some(Self::LIST) => Self::List,
            _ => Self::Both,
        }
    }

    /// The note, saying it.
    pub(crate) fn named_in(self, note: Note) -> Note {
        match self {
            Self::FanOut => note.with(Self::NAME, Self::FAN_OUT),
            Self::List => note.with(Self::NAME, Self::LIST),
            Self::Both => note,
        }
    }
}

impl Fanout {
    /// Lists these events; why not, for each that is not listed, in their order. It is listed again where they come again: the row is the same,
    /// or the list drops the double.
    pub(crate) async fn list(&self, events: &[&Event]) -> Vec<Option<Failure>> {
        let packed = event_list::pack(events);
        let rows: Vec<_> = packed.iter().map(|Packed { row, .. }| row).collect();
        let mut unlisted = vec![None; events.len()];
        if rows.is_empty() {
            return unlisted;
        }
        let puts = deadline::at_most(FOR_THE_LIST, self.deliveries.list_events(&rows)).await;
        for (Packed { places, .. }, put) in packed.iter().zip(puts) {
            let Err(error) = put else { continue };
            places.iter().for_each(|place| unlisted[*place] = Some(error.clone()));
        }
        unlisted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_what_is_to_be_done_and_one_of_before_says_both() {
        for to_do in [ToDo::FanOut, ToDo::List, ToDo::Both] {
            let note: Value = serde_json::from_str(&to_do.named_in(Note::new("a test")).text()).unwrap();
            assert_eq!(ToDo::of(&note), to_do);
        }
    }
}

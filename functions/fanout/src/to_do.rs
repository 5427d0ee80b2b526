//! What a note says is still to be done with its event.

use postrider_domain::note::Note;
use serde_json::Value;

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

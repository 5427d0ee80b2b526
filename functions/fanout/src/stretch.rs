//! A part of an event's fan-out. Its webhooks are gone through in the order of their ids, so that one id says how far it has come,
//! whatever is subscribed or ended meanwhile.

use jiff::{SignedDuration, Timestamp};
use postrider_aws::Failure;
use postrider_domain::event::Event;
use postrider_domain::id::EndpointId;
use postrider_domain::note::Note;
use serde_json::Value;

/// The place after a webhook; the beginning if it names none.
pub(crate) type Place = Option<EndpointId>;

/// The webhooks behind one place, as far as another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Behind which it begins.
    pub(crate) after: Place,
    /// The last that may belong to it; none, if all do that follow.
    pub(crate) through: Option<EndpointId>,
}

impl Stretch {
    /// The one that a note names: all of it, where it names none. A place that makes no sense is no place: what has been put
    /// already is then found again.
    pub(crate) fn of(note: &Value) -> Self {
        let place = |name: &str| note[name].as_str().and_then(|text| text.parse().ok());
        Self { after: place("after"), through: place("through") }
    }

    /// The note, naming it.
    pub(crate) fn named_in(&self, note: Note) -> Note {
        let with = |note: Note, name, place: &Place| match place {
            Some(place) => note.with(name, place.as_str()),
            None => note,
        };
        with(with(note, "after", &self.after), "through", &self.through)
    }
}

/// An event, and the part of its fan-out that is to be done.
#[derive(Debug, Clone)]
pub(crate) struct Work<'a> {
    pub(crate) event: &'a Event,
    pub(crate) stretch: Stretch,
    /// When it happened, or was known at the latest: who takes it is judged by what stood then.
    pub(crate) happened_by: Timestamp,
}

/// How much later than the stream says a row may have been written: it says whole seconds.
const ROUNDED: SignedDuration = SignedDuration::from_secs(2);

impl<'a> Work<'a> {
    /// All of it.
    pub(crate) fn whole(event: &'a Event) -> Self {
        Self::part(event, Stretch::default())
    }

    /// A part of it.
    pub(crate) fn part(event: &'a Event, stretch: Stretch) -> Self {
        Self { event, stretch, happened_by: event.timestamp }
    }

    /// The same, of an event whose row was written then, as far as that is known. A producer may have given it a time that is still to
    /// come. Judged by that, a run again would go by changes that were made since the first one.
    #[must_use]
    pub(crate) fn written(self, at: Option<Timestamp>) -> Self {
        let latest = at.map(|at| at.saturating_add(ROUNDED).unwrap_or(at));
        Self { happened_by: latest.map_or(self.happened_by, |latest| latest.min(self.happened_by)), ..self }
    }
}

/// How far a turn has come with a work.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// The place before the first webhook that we failed at, and why. Those behind it may be done or not.
    failed: Option<(Place, Failure)>,
    /// Where it stands, if it has not come to its end.
    stands: Option<Place>,
}

/// What a turn has left of a work.
#[derive(Debug, Clone, Default)]
pub(crate) struct Left {
    /// What is to be done again, and why.
    pub(crate) failed: Option<(Stretch, Failure)>,
    /// What has not been begun.
    pub(crate) rest: Option<Stretch>,
}

impl Outcome {
    /// Notes that we failed at something behind this place.
    pub(crate) fn fail(&mut self, before: Place, error: Failure) {
        if self.failed.as_ref().is_none_or(|(first, _)| before < *first) {
            self.failed = Some((before, error));
        }
    }

    /// Notes that the turn ended here, and all before is done or noted.
    pub(crate) fn stand(&mut self, at: Place) {
        self.stands = Some(at);
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    pub(crate) fn is_to_go_on(&self) -> bool {
        self.stands.is_some()
    }

    /// What is left of the stretch. The two parts never overlap, or each turn would leave more to do than it found.
    pub(crate) fn left(self, stretch: &Stretch) -> Left {
        let from = |after: Place| Stretch { after, through: stretch.through.clone() };
        match (self.failed, self.stands) {
            (Some((before, error)), Some(at)) if before < at => {
                Left { failed: Some((Stretch { after: before, through: at.clone() }, error)), rest: Some(from(at)) }
            }
            (Some((before, error)), _) => Left { failed: Some((from(before), error)), rest: None },
            (None, at) => Left { failed: None, rest: at.map(from) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(number: u64) -> Place {
        Some(EndpointId::new(Timestamp::UNIX_EPOCH, number))
    }

    fn stretch(after: Place, through: Place) -> Stretch {
        Stretch { after, through }
    }

    fn left(failures: &[Place], stands: Option<Place>) -> (Option<Stretch>, Option<Stretch>) {
        let mut outcome = Outcome { stands, ..Outcome::default() };
        for place in failures {
            outcome.fail(place.clone(), Failure::Missing("a row"));
        }
        let left = outcome.left(&stretch(webhook(1), webhook(9)));
        (left.failed.map(|(stretch, _)| stretch), left.rest)
    }

    #[test]
    fn what_failed_and_what_was_not_begun_are_two_parts_of_what_there_was() {
        let whole = || Some(stretch(webhook(1), webhook(9)));
        assert_eq!(left(&[], None), (None, None));
        assert_eq!(left(&[], Some(webhook(5))), (None, Some(stretch(webhook(5), webhook(9)))));
        assert_eq!(left(&[webhook(4), webhook(2), webhook(3)], None), (Some(stretch(webhook(2), webhook(9))), None));
        let both = (Some(stretch(webhook(2), webhook(5))), Some(stretch(webhook(5), webhook(9))));
        assert_eq!(left(&[webhook(2)], Some(webhook(5))), both);
        assert_eq!(left(&[webhook(1)], Some(webhook(1))), (whole(), None), "it was not begun, so it is one part");
    }

    #[test]
    fn a_note_names_its_stretch_and_one_of_before_names_all() {
        let named = |stretch: &Stretch| -> Value {
            serde_json::from_str(&stretch.named_in(Note::new("a test")).text()).unwrap()
        };
        for stretch in
            [stretch(None, None), stretch(webhook(1), None), stretch(None, webhook(2)), stretch(webhook(1), webhook(2))]
        {
            assert_eq!(Stretch::of(&named(&stretch)), stretch);
        }
        assert_eq!(Stretch::of(&serde_json::json!({"after": "here", "through": 7})), Stretch::default());
    }
}

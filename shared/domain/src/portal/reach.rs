//! Which of a tenant's webhooks a caller is for. What is not within his reach is not there for him.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::event::{Event, EventPattern};
use crate::event_list::{Kind, Listed};
use crate::id::EndpointId;
use crate::invalid::Invalid;

/// Webhooks that a session can be limited to: each is read by itself, and all of them for one list.
pub const MOST_WEBHOOKS: usize = 100;

/// Which webhooks. A row always says it: one that has lost it is unreadable, and not for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// All that the tenant has, and its jobs.
    All,
    /// These alone, and nothing that is about others or about none.
    Only(BTreeSet<EndpointId>),
}

impl Reach {
    /// Reads a request's `webhook_ids`.
    ///
    /// # Errors
    /// [`Invalid`] for what is no webhook's id, for one that stands there twice, for none, and for too many.
    pub fn parse(ids: &[String]) -> Result<Self, Invalid> {
        if ids.is_empty() || ids.len() > MOST_WEBHOOKS {
            return Err(Invalid::new("webhook_ids", Self::expected()));
        }
        let mut only = BTreeSet::new();
        for (i, id) in ids.iter().enumerate() {
            let bad = || Invalid::new(format!("webhook_ids[{i}]"), "a webhook's id, each at most once");
            if !only.insert(id.parse().map_err(|_| bad())?) {
                return Err(bad());
            }
        }
        Ok(Self::Only(only))
    }

    /// What is expected of such a list.
    pub fn expected() -> String {
        format!("a list of 1 to {MOST_WEBHOOKS} webhooks' ids")
    }

    /// The webhooks, where it is not for all.
    pub fn only(&self) -> Option<&BTreeSet<EndpointId>> {
        match self {
            Self::All => None,
            Self::Only(ids) => Some(ids),
        }
    }

    /// A page of the webhooks that it is limited to, so many behind one of them, and the last of the page where more follow: a list of all
    /// would be paged by others' ids. Nothing where it is for all.
    pub fn page(&self, limit: i32, after: Option<&EndpointId>) -> Option<(BTreeSet<EndpointId>, Option<EndpointId>)> {
        let mut left = self.only()?.iter().filter(|id| after.is_none_or(|after| *id > after));
        let page: BTreeSet<_> = left.by_ref().take(usize::try_from(limit).unwrap_or_default()).cloned().collect();
        let next = left.next().and(page.last().cloned());
        Some((page, next))
    }

    /// Whether a webhook is within it; what a tenant's jobs are sent under is no webhook.
    pub fn has(&self, id: &EndpointId) -> bool {
        self.only().is_none_or(|ids| ids.contains(id))
    }

    /// Whether an event may be shown: one that is for one webhook alone, or tells of one, only with that webhook.
    pub fn sees(&self, event: &Event) -> bool {
        let Some(ids) = self.only() else { return true };
        match event.only_for() {
            Some(only) => ids.contains(&only),
            None if event.announce.is_some() => false,
            None if event.event_type.is_operational() => told_of(&event.data).is_some_and(|id| ids.contains(&id)),
            None => true,
        }
    }

    /// Whether an event may stand in a list, which does not say of which webhook it tells.
    pub fn lists(&self, event: &Listed) -> bool {
        self.only().is_none() || (event.kind == Kind::ForWhoAsks && !event.event_type.is_operational())
    }

    /// Whether a webhook within it may come to ask for this: for one that is told of the tenant's other webhooks, one has to be for all.
    pub fn may_ask_for(&self, pattern: &EventPattern) -> bool {
        self.only().is_none() || !pattern.is_operational()
    }
}

/// The webhook that one of our own operational events tells of; each names it alike.
fn told_of(data: &str) -> Option<EndpointId> {
    #[derive(Deserialize)]
    struct Told {
        webhook_id: EndpointId,
    }
    serde_json::from_str::<Told>(data).ok().map(|told| told.webhook_id)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::delivery::an_event;
    use crate::event::{Announce, OwnType};
    use crate::event_list::pack;
    use crate::id::JobId;

    fn webhook(number: u64) -> EndpointId {
        EndpointId::new(Timestamp::UNIX_EPOCH, number)
    }

    fn only(number: u64) -> Reach {
        Reach::Only([webhook(number)].into())
    }

    #[test]
    fn a_list_of_webhooks_is_taken_as_it_is_or_refused_by_its_place() {
        let ids = |numbers: std::ops::Range<u64>| numbers.map(|n| webhook(n).to_string()).collect::<Vec<_>>();
        let most = u64::try_from(MOST_WEBHOOKS).unwrap();
        assert_eq!(Reach::parse(&ids(0..most)).unwrap().only().unwrap().len(), MOST_WEBHOOKS);
        assert_eq!(Reach::parse(&ids(0..most + 1)).unwrap_err().field, "webhook_ids");
        assert_eq!(Reach::parse(&[]).unwrap_err().field, "webhook_ids");
        for bad in ["wh_1".to_owned(), webhook(0).to_string()] {
            assert_eq!(Reach::parse(&[ids(0..1), vec![bad]].concat()).unwrap_err().field, "webhook_ids[1]");
        }
    }

    #[test]
    fn its_pages_have_each_webhook_once() {
        let only = Reach::Only((1..=5).map(webhook).collect());
        let (mut seen, mut after) = (vec![], None);
        for _ in 0..3 {
            let (page, next) = only.page(2, after.as_ref()).unwrap();
            seen.extend(page);
            after = next;
        }
        assert_eq!((seen, after), ((1..=5).map(webhook).collect(), None));
        assert_eq!(only.page(2, Some(&webhook(9))), Some((BTreeSet::new(), None)));
        assert_eq!(Reach::All.page(2, None), None);
    }

    #[test]
    fn a_row_says_it_or_cannot_be_read() {
        for reach in [Reach::All, only(1)] {
            let stored = serde_json::to_value(&reach).unwrap();
            assert_eq!(serde_json::from_value::<Reach>(stored).unwrap(), reach);
        }
        assert!(serde_json::from_value::<Reach>(serde_json::Value::Null).is_err());
    }

    #[test]
    fn what_is_about_another_webhook_is_not_there() {
        let published = an_event(Timestamp::UNIX_EPOCH);
        let test = Event { test_of: Some(webhook(1)), ..published.clone() };
        let of_job = Event { job_id: Some(JobId::short(Timestamp::UNIX_EPOCH, 1)), ..published.clone() };
        let announced = Event { announce: Some(Announce::JobCreated), ..published.clone() };
        let told = |data: String| Event { event_type: OwnType::WebhookUpdated.into(), data, ..published.clone() };
        let (of_it, of_none) = (told(format!(r#"{{"webhook_id":"{}"}}"#, webhook(1))), told("{}".to_owned()));
        for (event, seen) in [
            (&published, [true, true]),
            (&test, [true, false]),
            (&of_it, [true, false]),
            (&of_none, [false, false]),
            (&of_job, [false, false]),
            (&announced, [false, false]),
        ] {
            assert!(Reach::All.sees(event));
            assert_eq!([only(1).sees(event), only(2).sees(event)], seen, "{event:?}");
        }
        for (event, listed) in [(&published, true), (&test, false), (&of_it, false), (&of_job, false)] {
            let row = pack(&[event]).remove(0).row;
            let (_, in_list) = row.read_for_walk().unwrap();
            assert_eq!((Reach::All.lists(&in_list[0]), only(1).lists(&in_list[0])), (true, listed), "{event:?}");
        }
    }

    #[test]
    fn who_is_for_some_webhooks_has_none_told_of_the_others() {
        for (pattern, may) in [
            ("*", true),
            ("invoice.*", true),
            ("webhook", true),
            ("webhook.*", false),
            ("webhook.deleted", false),
            ("webhook.a.*", false),
        ] {
            let pattern = EventPattern::kept(pattern).unwrap();
            assert_eq!((Reach::All.may_ask_for(&pattern), only(1).may_ask_for(&pattern)), (true, may), "{pattern:?}");
        }
    }
}

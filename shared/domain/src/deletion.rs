//! The deletion of a tenant: a job that goes on page by page, and whoever dies in between leaves it where the next one finds it.
//!
//! That nothing is sent any more, and that no key lets anybody in, does not wait for it: the tenant's own row says so from the first
//! moment. What is left to do is to take away what is there, and that begins once the last call that was let in before has ended. So
//! nothing comes after what was taken away, and one walk is enough.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::external_id::ExternalId;
use crate::id::TenantId;
use crate::named;
use crate::named::stored_by_name;
use crate::tenant::{Tenant, TenantStatus};

/// How long nothing is taken away after the deletion was asked for: as long as a key is remembered (45 s), and as a call of the API
/// that it let in may take (15 s), twice, for clocks that differ.
pub const BEGINS_AFTER: SignedDuration = SignedDuration::from_secs(120);
/// How long the tombstone of a tenant is kept beyond the rows of its deliveries: as long as any queue keeps a message of one.
pub const TOMBSTONE_KEPT_SECONDS: i64 = 14 * 24 * 3600;

named! {
    /// What a deletion takes away next, by its name in the API and the tables.
    pub enum Stage {
        /// Keys, webhooks and what lies beside them, and recoveries.
        Configuration = "configuration",
        /// Deliveries that wait for another attempt: they are called off.
        Deliveries = "deliveries",
        /// Jobs of projects.
        Generations = "generations",
        /// Jobs of a task.
        Tasks = "tasks",
    }
}

stored_by_name!(Stage);

impl Stage {
    fn next(self) -> Option<Self> {
        let at = Self::ALL.iter().position(|stage| *stage == self)?;
        Self::ALL.get(at + 1).copied()
    }
}

/// What was taken away or called off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Keys.
    pub keys: u64,
    /// Webhooks, those that its customer had deleted before among them.
    pub webhooks: u64,
    /// Deliveries that were called off.
    pub deliveries: u64,
    /// Jobs.
    pub jobs: u64,
}

impl std::ops::Add for Removed {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            keys: self.keys + other.keys,
            webhooks: self.webhooks + other.webhooks,
            deliveries: self.deliveries + other.deliveries,
            jobs: self.jobs + other.jobs,
        }
    }
}

/// What a look at a page came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// More of the stage follows, behind this place, or from its beginning where that says nothing.
    More(Option<String>),
    /// Nothing of the stage is left.
    NothingLeft,
}

/// A deletion that goes on, as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// Who is deleted.
    pub tenant_id: TenantId,
    /// The provider's own id of the tenant, which is another's to have once the deletion has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    /// When it was asked for.
    #[serde(with = "crate::time::as_wire")]
    pub since: Timestamp,
    /// What is taken away next.
    pub stage: Stage,
    /// How far that has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What was taken away so far. Of whoever died before he noted a page that page is not counted.
    #[serde(flatten)]
    pub removed: Removed,
    /// Counts its changes: each is written over the one that it was made from.
    pub revision: u32,
}

impl Deletion {
    /// One that was asked for at this time.
    pub fn asked_for(tenant_id: TenantId, external_id: Option<ExternalId>, since: Timestamp) -> Self {
        let (stage, removed) = (Stage::Configuration, Removed::default());
        Self { tenant_id, external_id, since, stage, after: None, removed, revision: 0 }
    }

    /// Whether anything may be taken away: whoever was let in before it was asked for has his answer by now.
    pub fn may_begin(&self, now: Timestamp) -> bool {
        now.duration_since(self.since) >= BEGINS_AFTER
    }

    /// What follows a page; nothing where it was the last one.
    #[must_use]
    pub fn after_page(&self, removed: Removed, looked: Looked) -> Option<Self> {
        let (stage, after) = match looked {
            Looked::More(after) => (self.stage, after),
            Looked::NothingLeft => (self.stage.next()?, None),
        };
        let revision = self.revision + 1;
        Some(Self { stage, after, removed: self.removed + removed, revision, ..self.clone() })
    }
}

/// A tenant that is being deleted. What takes a tenant's things away asks for one of these, and only a tenant's own row that says so
/// makes one: nobody else's can be touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doomed(TenantId);

impl Doomed {
    /// This tenant, if it is being deleted.
    pub fn of(tenant: &Tenant) -> Option<Self> {
        (tenant.status == TenantStatus::Deleting).then(|| Self(tenant.id.clone()))
    }

    /// Its id.
    pub fn id(&self) -> &TenantId {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn deletion() -> Deletion {
        Deletion::asked_for(TenantId::new(at(0), 1), None, at(0))
    }

    #[test]
    fn nothing_is_taken_away_while_somebody_may_still_be_let_in() {
        assert!(!deletion().may_begin(at(119)) && deletion().may_begin(at(120)));
        assert!(!deletion().may_begin(at(-500)), "a clock went back");
    }

    #[test]
    fn only_a_tenant_whose_row_says_so_is_doomed() {
        let tenant = Tenant::bare(TenantId::new(at(0), 1), "a".to_owned(), Plan::Pro, at(0));
        for (status, is_doomed) in
            [(TenantStatus::Active, false), (TenantStatus::Suspended, false), (TenantStatus::Deleting, true)]
        {
            let doomed = Doomed::of(&Tenant { status, ..tenant.clone() });
            assert_eq!(doomed.map(|doomed| doomed.id().clone()), is_doomed.then(|| tenant.id.clone()), "{status:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// However many pages each stage has, each is looked at to its end, in order, and all that was taken away is counted.
        #[test]
        fn it_goes_through_every_stage_to_its_end(pages in prop::collection::vec(0_u64..4, Stage::ALL.len())) {
            let (mut now, mut seen, mut left) = (Some(deletion()), Vec::new(), pages.clone());
            let mut counted = Removed::default();
            while let Some(deletion) = now {
                prop_assert_eq!(u64::from(deletion.revision), seen.len() as u64);
                let stage = Stage::ALL.iter().position(|stage| *stage == deletion.stage).unwrap();
                seen.push(stage);
                counted = deletion.removed;
                let looked = if left[stage] > 0 { Looked::More(Some(seen.len().to_string())) } else { Looked::NothingLeft };
                left[stage] = left[stage].saturating_sub(1);
                now = deletion.after_page(Removed { keys: 1, ..Removed::default() }, looked);
            }
            let expected: Vec<usize> =
                pages.iter().enumerate().flat_map(|(stage, more)| vec![stage; usize::try_from(more + 1).unwrap()]).collect();
            prop_assert_eq!(&seen, &expected);
            prop_assert_eq!(counted.keys, expected.len() as u64 - 1, "the last page is counted with its end");
        }
    }
}

//! Where deliveries went: the URL of each attempt, also when its webhook has moved since.

use std::collections::HashMap;

use futures::TryStreamExt as _;
use futures::stream::{self, StreamExt as _};
use postrider_aws::config_table::ConfigTable;
use postrider_aws::jobs_table::JobsTable;
use postrider_aws::{Failure, rows};
use postrider_domain::attempt::{Attempt, FIRST_URL_VERSION};
use postrider_domain::delivery::Delivery;
use postrider_domain::endpoint::EarlierUrls;
use postrider_domain::endpoint::parking::Parking;
use postrider_domain::id::{EndpointId, JobId};

const LOOKS_AT_ONCE: usize = 16;

/// Looks places up.
pub(crate) struct Places {
    config: ConfigTable,
    jobs: JobsTable,
}

/// The present URL of a webhook or a job, and those that deliveries need beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Nothing where nobody knows any more.
    pub(crate) url: Option<String>,
    version: u32,
    earlier: EarlierUrls,
    /// How what is for it is parked, while it is.
    pub(crate) parking: Option<Parking>,
}

/// Which place: a webhook, or a job with its own URL. Both are unique among all tenants'.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Webhook(EndpointId),
    Job(JobId),
}

/// The places of some deliveries.
pub(crate) struct Found {
    places: HashMap<Key, Place>,
    nowhere: Place,
}

impl Place {
    /// The URL that an attempt was made to. Those that we failed to make, and those of earlier versions, do not tell.
    pub(crate) fn of(&self, attempt: &Attempt) -> Option<&str> {
        match attempt.url_version {
            _ if attempt.mark.is_none() || !attempt.was_sent() => None,
            version if version == self.version => self.url.as_deref(),
            version => self.earlier.get(version),
        }
    }
}

impl Found {
    /// A delivery's place.
    pub(crate) fn of(&self, row: &Delivery) -> &Place {
        self.places.get(&key_of(row)).unwrap_or(&self.nowhere)
    }
}

impl Places {
    pub(crate) fn new(config: ConfigTable, jobs: JobsTable) -> Self {
        Self { config, jobs }
    }

    /// The places of these deliveries, each looked up once.
    pub(crate) async fn of(&self, all: &[Delivery]) -> Result<Found, Failure> {
        let wanted: HashMap<Key, &Delivery> = all.iter().map(|row| (key_of(row), row)).collect();
        let looks =
            wanted.into_iter().map(|(key, row)| async move { Ok::<_, Failure>((key, self.look_up(row, all).await?)) });
        let looks: Vec<_> = looks.collect();
        let places = stream::iter(looks).buffer_unordered(LOOKS_AT_ONCE).try_collect().await?;
        Ok(Found { places, nowhere: Place::default() })
    }

    async fn look_up(&self, row: &Delivery, all: &[Delivery]) -> Result<Place, Failure> {
        if let Some(job) = &row.job_id {
            let job = past_unreadable(self.jobs.get(job).await)?.filter(|job| job.tenant_id == row.tenant_id);
            let url = job.and_then(|job| job.webhook_url);
            return Ok(Place { url, version: FIRST_URL_VERSION, ..Place::default() });
        }
        let present = self.config.present_url(&row.tenant_id, &row.endpoint_id).await;
        if let Ok(None) = present {
            rows::missing_for(row);
        }
        let Some(present) = past_unreadable(present)? else { return Ok(Place::default()) };
        let here = all.iter().filter(|other| key_of(other) == key_of(row));
        let moved = here.flat_map(Delivery::history).any(|attempt| attempt.url_version != present.version);
        let earlier = match moved {
            true => self.config.earlier_urls(&row.tenant_id, &row.endpoint_id).await?,
            false => EarlierUrls::default(),
        };
        Ok(Place { url: Some(present.url), version: present.version, earlier, parking: present.parking })
    }
}

/// A URL or a job that cannot be read hides none of its deliveries: where they went, nobody knows then.
fn past_unreadable<T>(found: Result<Option<T>, Failure>) -> Result<Option<T>, Failure> {
    found.or_else(|error| if error.is_unreadable() { Ok(None) } else { Err(error) })
}

fn key_of(row: &Delivery) -> Key {
    row.job_id.as_ref().map_or_else(|| Key::Webhook(row.endpoint_id.clone()), |job| Key::Job(job.clone()))
}

//! Whether a job's end was told to the address that came with the job.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use postrider_domain::delivery::Status;
use serde::Deserialize;

use super::job::Job;
use crate::standing;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// How long after a job's end its delivery may come to be: where there is none by then, nobody was told.
const SETTLED: SignedDuration = SignedDuration::from_secs(60);

/// What became of it.
#[derive(Debug)]
pub(super) enum End {
    /// The job goes on.
    Open,
    /// It came without an address, or what became of it is no longer kept.
    ToldNobody,
    /// It cannot be read just now.
    Unread,
    /// There is a delivery.
    Told { id: String, status: Status, url: Option<String> },
}

#[derive(Deserialize)]
struct Page {
    deliveries: Vec<Delivery>,
}

#[derive(Deserialize)]
struct Delivery {
    id: String,
    status: Status,
    #[serde(default)]
    url: Option<String>,
}

/// What became of a job's end.
///
/// # Errors
/// What the API refuses.
pub(super) async fn end(visit: &Visit<'_>, job: &Job) -> Result<End, Trouble> {
    if job.completed_at.is_none() {
        return Ok(End::Open);
    }
    let page: Page = visit.get(&["v1", "deliveries"], &[("job_id", &job.id)]).await?;
    let told = page.deliveries.into_iter().next().map(|Delivery { id, status, url }| End::Told { id, status, url });
    Ok(told.unwrap_or(End::ToldNobody))
}

/// The same for one of many: what cannot be read just now says so.
pub(super) async fn end_if_read(visit: &Visit<'_>, job: &Job) -> Result<End, Trouble> {
    match end(visit, job).await {
        Err(trouble) if trouble.passes() => Ok(End::Unread),
        end => end,
    }
}

impl End {
    /// Whether nothing more will become of it.
    pub(super) fn is_final(&self, ended: Option<Timestamp>, now: Timestamp) -> bool {
        match self {
            Self::Open | Self::Unread => false,
            Self::ToldNobody => ended.is_some_and(|ended| now.duration_since(ended) > SETTLED),
            Self::Told { status, .. } => status.is_final(),
        }
    }

    /// In a word or two.
    pub(super) fn short(&self, visit: &Visit<'_>) -> Markup {
        let texts = &visit.texts.jobs;
        html! {
            @match self {
                Self::Open => span.soft { (texts.when_ended) },
                Self::Unread => span.soft { (texts.unread) },
                Self::ToldNobody => span.soft { (texts.nobody_told) },
                Self::Told { id, status, .. } => a href=(visit.to(&format!("deliveries/{id}"))) { (standing::badge(visit, *status)) },
            }
        }
    }
}

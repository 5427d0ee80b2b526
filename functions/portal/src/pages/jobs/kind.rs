//! The two kinds of jobs, which the API has on paths of their own and in words of their own.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::job::{Generation, Job, Task};
use crate::answers::Pagination;
use crate::texts::jobs::Jobs;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// A kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One task each: `/v1/jobs`.
    Task,
    /// Several projects each: `/api/v1/jobs`.
    Generation,
}

/// What `/v1/jobs` wraps its answers in.
#[derive(Deserialize)]
struct Wrapped<T> {
    data: T,
    #[serde(default)]
    pagination: Pagination,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Generations {
    jobs: Vec<Generation>,
    #[serde(default)]
    next_cursor: Option<String>,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Task, Self::Generation];

    /// As addresses have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Task => "tasks",
            Self::Generation => "generations",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of the job of this id.
    pub(crate) fn of(id: &str) -> Self {
        if id.starts_with("job_") { Self::Task } else { Self::Generation }
    }

    pub(crate) fn title(self, texts: &Jobs) -> &'static str {
        match self {
            Self::Task => texts.tasks,
            Self::Generation => texts.generations,
        }
    }

    fn path<'a>(self, rest: &[&'a str]) -> Vec<&'a str> {
        let root: &[&str] = match self {
            Self::Task => &["v1", "jobs"],
            Self::Generation => &["api", "v1", "jobs"],
        };
        [root, rest].concat()
    }

    /// A page of them, and where the next one begins.
    pub(super) async fn list(
        self,
        visit: &Visit<'_>,
        query: &[(&str, &str)],
    ) -> Result<(Vec<Job>, Option<String>), Trouble> {
        let path = self.path(&[]);
        match self {
            Self::Task => {
                let found: Wrapped<Vec<Task>> = visit.get(&path, query).await?;
                Ok((found.data.into_iter().map(Job::from).collect(), found.pagination.next_cursor))
            }
            Self::Generation => {
                let found: Generations = visit.get(&path, query).await?;
                Ok((found.jobs.into_iter().map(Job::from).collect(), found.next_cursor))
            }
        }
    }

    pub(super) async fn one(self, visit: &Visit<'_>, id: &str) -> Result<Job, Trouble> {
        let path = self.path(&[id]);
        match self {
            Self::Task => Ok(visit.get::<Wrapped<Task>>(&path, &[]).await?.data.into()),
            Self::Generation => Ok(visit.get::<Generation>(&path, &[]).await?.into()),
        }
    }

    /// Asks for a recovery of what they told nobody, or for how many those are.
    pub(super) async fn recover<T: DeserializeOwned>(self, visit: &Visit<'_>, asked: &Value) -> Result<T, Trouble> {
        let path = self.path(&["recover"]);
        match self {
            Self::Task => Ok(visit.post::<Wrapped<T>>(&path, asked).await?.data),
            Self::Generation => visit.post(&path, asked).await,
        }
    }

    /// How far a recovery has come.
    pub(super) async fn recovery<T: DeserializeOwned>(self, visit: &Visit<'_>, id: &str) -> Result<T, Trouble> {
        let path = self.path(&["recover", id]);
        match self {
            Self::Task => Ok(visit.get::<Wrapped<T>>(&path, &[]).await?.data),
            Self::Generation => visit.get(&path, &[]).await,
        }
    }
}

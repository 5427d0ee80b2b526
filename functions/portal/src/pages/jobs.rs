//! Jobs of both kinds, and whether their ends were told.

mod job;
pub(crate) mod kind;
pub(crate) mod one;
pub(crate) mod recover;
#[cfg(test)]
mod tests;
mod told;

use futures::{StreamExt as _, stream};
use maud::{Markup, html};

use self::job::Job;
use self::kind::Kind;
use self::told::End;
use crate::parts;
use crate::session::Capability;
use crate::shown::Shown;
use crate::time;
use crate::trouble::Trouble;
use crate::visit::{AT_ONCE, Visit};

/// Jobs of a kind on a page: each that has ended is a call.
const ON_A_PAGE: usize = 10;

/// The jobs of one kind, with what became of their ends.
struct Listed {
    kind: Kind,
    jobs: Vec<(Job, End)>,
    next_cursor: Option<String>,
}

/// The newest jobs of both kinds; or, by a link of this page, older ones of one kind.
pub(crate) async fn list(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let texts = &visit.texts.jobs;
    let asked = visit.query("kind").and_then(Kind::named);
    let mut lists = Vec::new();
    if visit.session.sees_all() {
        for kind in Kind::ALL.into_iter().filter(|kind| asked.is_none_or(|asked| asked == *kind)) {
            lists.push(listed(visit, kind, visit.query("cursor").filter(|_| asked.is_some())).await?);
        }
    }
    lists.retain(|list| !list.jobs.is_empty() || list.next_cursor.is_some());
    let part = html! {
        @if lists.is_empty() { (parts::empty(texts.none, texts.none_means, html! {})) }
        @for list in &lists {
            h2 { (list.kind.title(texts)) }
            (table(visit, list))
            (parts::pager(visit, "jobs", &[("kind", list.kind.name())], list.next_cursor.as_deref()))
            @if visit.may(Capability::Send) {
                p { a href=(visit.to(&format!("jobs/{}/recover", list.kind.name()))) { (texts.recover) } }
            }
        }
    };
    if visit.is_for_script() {
        return Ok(Shown::Part(part));
    }
    let main = html! {
        h1 { (texts.title) }
        p { (texts.means) }
        (parts::refreshed(visit, "jobs", asked.is_none(), part))
    };
    Ok(Shown::page(texts.title, main))
}

async fn listed(visit: &Visit<'_>, kind: Kind, cursor: Option<&str>) -> Result<Listed, Trouble> {
    let limit = ON_A_PAGE.to_string();
    let mut query = vec![("limit", limit.as_str())];
    query.extend(cursor.map(|cursor| ("cursor", cursor)));
    let (jobs, next_cursor) = kind.list(visit, &query).await?;
    let ends: Vec<Result<End, Trouble>> =
        stream::iter(&jobs).map(|job| told::end_if_read(visit, job)).buffered(AT_ONCE).collect().await;
    let ends: Vec<End> = ends.into_iter().collect::<Result<_, _>>()?;
    Ok(Listed { kind, jobs: jobs.into_iter().zip(ends).collect(), next_cursor })
}

fn table(visit: &Visit<'_>, list: &Listed) -> Markup {
    let texts = &visit.texts.jobs;
    html! {
        div.wide {
            table {
                thead {
                    tr {
                        th scope="col" { (texts.job) }
                        th scope="col" { (texts.status) }
                        th scope="col" { (texts.created) }
                        th scope="col" { (texts.ended) }
                        th scope="col" { (texts.told) }
                    }
                }
                tbody {
                    @for (job, end) in &list.jobs {
                        tr {
                            td { a href=(visit.to(&format!("jobs/{}", job.id))) { (job.id) } }
                            td { (job.badge(texts)) @if let Some(progress) = job.progress(texts) { " " span.soft { (progress) } } }
                            td { (time::shown(job.created_at)) }
                            td { @match job.completed_at { Some(at) => (time::shown(at)), None => span.soft { (texts.not_yet) } } }
                            td { (end.short(visit)) }
                        }
                    }
                }
            }
        }
    }
}

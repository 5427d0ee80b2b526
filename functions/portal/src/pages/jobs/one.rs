//! The page of one job.

use maud::{Markup, html};
use postrider_host::clock;

use super::job::{Generation, More, Project, Task, badge};
use super::kind::Kind;
use super::told::{self, End};
use crate::parts;
use crate::shown::Shown;
use crate::texts::jobs::Jobs;
use crate::time;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// The page.
pub(crate) async fn one(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let [id, _] = visit.variables;
    let (job, texts) = (Kind::of(id).one(visit, id).await?, &visit.texts.jobs);
    let end = told::end_if_read(visit, &job).await?;
    let is_done = end.is_final(job.completed_at, clock::now());
    let part = html! {
        dl.facts data-final[is_done] {
            div { dt { (texts.status) } dd { (job.badge(texts)) } }
            div { dt { (texts.created) } dd { (time::shown(job.created_at)) } }
            @if let Some(at) = job.started_at { div { dt { (texts.started) } dd { (time::shown(at)) } } }
            div { dt { (texts.ended) } dd { @match job.completed_at { Some(at) => (time::shown(at)), None => (texts.not_yet) } } }
            @match &job.more {
                More::Task(task) => (of_task(texts, task)),
                More::Generation(generation) => {
                    div { dt { (texts.progress) } dd { ((texts.percent)(&generation.overall_progress.to_string())) } }
                },
            }
        }
        h2 { (texts.delivery) }
        (delivery(visit, &end))
        @if let More::Generation(generation) = &job.more { (projects(texts, generation)) }
    };
    if visit.is_for_script() {
        return Ok(Shown::Part(part));
    }
    let main = html! {
        p { a href=(visit.to("jobs")) { (texts.to_jobs) } }
        h1 { (texts.job) " " (job.id) }
        @if !is_done { (parts::look_again(visit, &format!("jobs/{id}"))) }
        (parts::watched(visit, &format!("jobs/{id}"), is_done, part))
    };
    Ok(Shown::page(format!("{} {}", texts.job, job.id), main))
}

fn of_task(texts: &Jobs, task: &Task) -> Markup {
    html! {
        @if let Some(url) = &task.url { div { dt { (texts.url) } dd { (link(url, url)) } } }
        @if let Some(platform) = &task.platform { div { dt { (texts.platform) } dd { (platform) } } }
        @if let Some(names) = &task.capabilities { div { dt { (texts.capabilities) } dd { (names.join(", ")) } } }
        @if let (Some(charged), Some(expected)) = (task.credits_charged, task.credits_estimated) {
            div { dt { (texts.credits) } dd { ((texts.credits_of)(charged, expected)) } }
        }
    }
}

fn delivery(visit: &Visit<'_>, end: &End) -> Markup {
    let texts = &visit.texts.jobs;
    html! {
        @match end {
            End::Unread => p { (end.short(visit)) },
            End::Open => p { (texts.when_ended) },
            End::ToldNobody => p { (texts.nobody_told_means) },
            End::Told { id, url, .. } => {
                @if let Some(url) = url { p { (url) } }
                p { (end.short(visit)) }
                p { a href=(visit.to(&format!("deliveries/{id}"))) { (texts.attempts) } }
            }
        }
    }
}

fn projects(texts: &Jobs, generation: &Generation) -> Markup {
    let video = |project: &Project| {
        let of_it = generation.completed_details.iter().find(|one| one.project_id == project.id);
        of_it.and_then(|one| one.final_output_url.as_deref())
    };
    html! {
        h2 #projects { (texts.projects) }
        // Without a link in it, keys could not move what does not fit.
        div.wide role="region" aria-labelledby="projects" tabindex="0" {
            table {
                thead { tr { th scope="col" { (texts.project) } th scope="col" { (texts.status) } th scope="col" { (texts.progress) } } }
                tbody {
                    @for project in &generation.projects {
                        tr {
                            td { (project.title) @if let Some(url) = video(project) { br; (link(url, texts.video)) } }
                            td { (badge(texts, &project.status)) }
                            td { ((texts.percent)(&project.progress.to_string())) }
                        }
                    }
                }
            }
        }
    }
}

/// A link to an address that somebody wrote, or the address alone where no link may lead there.
fn link(url: &str, text: &str) -> Markup {
    html! {
        @match parts::web_address(url) {
            Some(address) => a href=(address) rel="noopener noreferrer" target="_blank" { (text) },
            None => { (url) },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::job::Job;
    use super::*;
    use crate::texts::Language;

    #[test]
    fn what_somebody_called_a_project_stays_text_and_leads_nowhere() {
        let generation: Generation = serde_json::from_value(json!({
            "jobId": "j", "status": "completed", "createdAt": "2026-01-15T14:30:00.000Z", "totalProjects": 2, "completedProjects": 2,
            "projects": [{"id": "a", "title": "<script>alert(1)</script>", "status": "completed", "progress": 100},
                         {"id": "b", "title": "b", "status": "completed"}],
            "completedDetails": [{"projectId": "a", "finalOutputUrl": "javascript:alert(1)"},
                                 {"projectId": "b", "finalOutputUrl": "https://cdn.example/b\"onclick=\"x"}],
        }))
        .unwrap();
        let shown = projects(&Language::English.texts().jobs, &generation).into_string();
        assert!(shown.contains("&lt;script&gt;") && !shown.contains("<script"), "{shown}");
        assert!(
            !shown.contains("href=\"javascript") && !shown.contains("\" onclick") && !shown.contains("\"onclick"),
            "{shown}"
        );
        let job = Job::from(generation);
        assert_eq!(job.progress(&Language::English.texts().jobs).as_deref(), Some("2 of 2 done"));
    }
}

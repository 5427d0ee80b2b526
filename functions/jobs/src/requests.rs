//! What the routes are sent, for the API's document. It is read field by field, so that each field that is amiss is told by its name.
#![expect(dead_code, reason = "nothing is made of these types but their schemas")]

use postrider_api::document::{JsonSchema, Left, UrlOfTheWeb, UrlOfWebhook};
use postrider_domain::job::ProjectStatus;
use serde_json::{Value, json};

use crate::bounds::{MAX_CAPABILITIES, MAX_CAPABILITY_CHARS, MAX_CREDITS, MAX_TITLE_CHARS, URLS, VARIANTS};

/// A job of projects to start. Whatever else it has is passed on to the worker.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Generate {
    /// What is worked on.
    #[schemars(with = "Vec<UrlOfTheWeb>", length(min = *URLS.start(), max = *URLS.end()), example = ["https://videos.example.com/4711"])]
    urls: (),
    /// How many projects are made of each URL; one where nothing is said.
    #[schemars(with = "Left<u8>", range(min = *VARIANTS.start(), max = *VARIANTS.end()), example = 3)]
    variant_count: (),
    /// Who is told once when all projects have ended; nobody where nothing is said.
    #[schemars(with = "Left<UrlOfWebhook>")]
    webhook_url: (),
}

/// A job of one task to start. Whatever else it has is passed on to the worker.
#[derive(JsonSchema)]
pub(crate) struct StartTask {
    /// What is worked on.
    #[schemars(with = "UrlOfTheWeb")]
    url: (),
    /// What is asked for: names of 1 to 64 characters.
    #[schemars(
        with = "Vec<String>",
        length(min = 1, max = MAX_CAPABILITIES),
        inner(length(min = 1, max = MAX_CAPABILITY_CHARS)),
        example = ["transcript", "summary"],
    )]
    capabilities: (),
    /// Who is told when the job ends; nobody where nothing is said. Needs the plan `pro` or `enterprise`.
    #[schemars(with = "Left<UrlOfWebhook>")]
    webhook_url: (),
}

/// A report on a job of projects: how some of them stand, or that the job is called off.
#[derive(JsonSchema)]
#[serde(untagged)]
pub(crate) enum GenerationReport {
    /// How some projects stand.
    Projects(ProjectReports),
    /// The job is called off.
    Cancelled(Cancellation),
}

/// How some projects of a job stand.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct ProjectReports {
    /// The projects.
    #[schemars(with = "Vec<ProjectReport>", length(min = 1))]
    projects: (),
}

/// A job that is called off.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Cancellation {
    /// `cancelled`.
    #[schemars(with = "String", extend("enum" = ["cancelled"]), example = &"cancelled")]
    status: (),
}

/// How a project stands.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, example = completed())]
pub(crate) struct ProjectReport {
    /// The project's id, as the job shows it.
    #[schemars(with = "String", example = &"5f0c9a7e-1b3d-4f7a-9c1e-3b5d7f9a1c3e")]
    project_id: (),
    /// Where it stands.
    #[schemars(with = "String", extend("enum" = reported()), example = &"completed")]
    status: (),
    /// What it is called from now on.
    #[schemars(with = "Left<String>", length(max = MAX_TITLE_CHARS), example = &"How to fold a letter")]
    title: (),
    /// Where its video lies. A completed project must have it.
    #[schemars(with = "Left<Option<UrlOfTheWeb>>")]
    video_url: (),
}

/// Nobody reports that nobody works on it.
fn reported() -> Vec<&'static str> {
    let some = ProjectStatus::ALL.iter().filter(|status| **status != ProjectStatus::Pending);
    some.map(|status| status.as_str()).collect()
}

/// A completed project has to have its video.
fn completed() -> Value {
    json!({"projectId": "5f0c9a7e-1b3d-4f7a-9c1e-3b5d7f9a1c3e", "status": "completed", "videoUrl": "https://cdn.example.com/fold.mp4"})
}

/// A report on a job of one task.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct TaskReport {
    /// Where it stands.
    #[schemars(with = "String", extend("enum" = ["processing", "completed", "failed"]), example = &"completed")]
    status: (),
    /// What it cost, in credits; only of a job that ends by this report.
    #[schemars(with = "Left<u64>", range(max = MAX_CREDITS), example = 2)]
    credits_charged: (),
}

#[cfg(test)]
mod tests {
    use postrider_api::Fields;
    use postrider_api::document::fields_of;
    use postrider_domain::dialect::JobKind;

    use super::*;
    use crate::report;

    fn told(text: &str, kind: JobKind) -> Vec<String> {
        Fields::told(&report::read(Fields::read(text.as_bytes()).unwrap(), kind).map(drop).unwrap_err())
    }

    #[test]
    fn the_document_has_the_fields_that_are_read() {
        assert_eq!(told(r#"{"status": "failed", "?": 1}"#, JobKind::Task), fields_of::<TaskReport>());
        let whole = [fields_of::<ProjectReports>(), fields_of::<Cancellation>()].concat();
        assert_eq!(told(r#"{"status": "cancelled", "?": 1}"#, JobKind::Projects), whole);
        let project = r#"{"projects": [{"projectId": "1", "status": "failed", "?": 1}]}"#;
        assert_eq!(told(project, JobKind::Projects), fields_of::<ProjectReport>());
    }
}

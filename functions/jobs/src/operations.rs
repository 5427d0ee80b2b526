//! What the routes do, for the API's document.

use postrider_api::document::{Id, Names, Nothing, Path, Seconds};
use postrider_api::{ApiError, Operation};
use postrider_domain::id::JobId;
use postrider_domain::job::{JobStatus, Refused};

use crate::bounds::MAX_REQUEST_BYTES;
use crate::requests::{Generate, GenerationReport, StartTask, TaskReport};
use crate::task_status::TaskStatus;
use crate::view::{Generated, Generation, Generations, Tasks, Wrapped};

const ENDED: &str = "It would change how the job, or a project, has ended.";
const AGAIN: &str = "After how many seconds it is worth asking how the job stands; left out once it has ended.";

fn ended() -> ApiError {
    ApiError::conflict(Refused::Ended.to_string())
}

fn too_long() -> String {
    format!("What is passed on to the worker has more than {MAX_REQUEST_BYTES} bytes.")
}

pub(crate) fn generate() -> Operation {
    let about = "Each URL is worked on in so many variants, each of which is a project. One delivery tells `webhookUrl` when all have \
                 ended; a job that is called off tells nobody.";
    Operation::new("startGeneration", "Start a job of projects", about)
        .takes::<Generate>()
        .answers::<Generated<'static>>(200, "The job has begun.")
        .refuses(ApiError::too_large("body", MAX_REQUEST_BYTES), too_long())
}

pub(crate) fn list_generations() -> Operation {
    Operation::new("listGenerations", "List jobs of projects", "The newest first.")
        .query::<Names<JobStatus>>("status", "Only those that stand so.")
        .paged("50 where nothing is said.")
        .answers::<Generations>(200, "A page of jobs.")
}

pub(crate) fn get_generation() -> Operation {
    Operation::new("getGeneration", "Show a job of projects", "")
        .of::<Id<JobId>>("jobId", "The job's id, a UUID.")
        .answers::<Generation<'static>>(200, "The job.")
}

pub(crate) fn report_generation() -> Operation {
    let about = "The worker's side. Reports may race, repeat and come out of order; a job ends once.";
    Operation::new("reportGeneration", "Report on a job of projects", about)
        .of::<Id<JobId>>("jobId", "The job's id, a UUID.")
        .takes::<GenerationReport>()
        .answers::<Generation<'static>>(200, "The job after the report; one that repeats what is so changes nothing.")
        .refuses(ended(), ENDED)
}

pub(crate) fn list_tasks() -> Operation {
    Operation::new("listTasks", "List jobs of one task", "The newest first.")
        .query::<Names<TaskStatus>>("status", "Only those that stand so.")
        .paged("50 where nothing is said.")
        .answers::<Tasks>(200, "A page of jobs.")
}

pub(crate) fn start_task() -> Operation {
    let job = "Where the job is shown.";
    Operation::new("startTask", "Start a job of one task", "One delivery tells `webhook_url` when it has ended.")
        .idempotent("What the customer calls this request: for 48 hours the same again is answered with the same job.")
        .takes::<StartTask>()
        .answers::<Wrapped<'static>>(201, "The job is created.")
        .with_header::<Path>("Location", job)
        .with_header::<Seconds>("Retry-After", AGAIN)
        .answers::<Wrapped<'static>>(200, "The job that the same request has created before with this Idempotency-Key.")
        .with_header::<Path>("Location", job)
        .with_header::<Seconds>("Retry-After", AGAIN)
        .refuses(
            ApiError::plan_required("webhooks are available on the Pro and Enterprise plans"),
            "`webhook_url` needs the plan `pro` or `enterprise`.",
        )
        .refuses(ApiError::not_found("job"), "The job of this Idempotency-Key is no longer kept.")
        .refuses(
            ApiError::conflict("this Idempotency-Key was used before, for another request"),
            "This Idempotency-Key was used before, for another request.",
        )
        .refuses(ApiError::too_large("body", MAX_REQUEST_BYTES), too_long())
}

fn of_a_task(id: &'static str, summary: &'static str, about: &'static str) -> Operation {
    Operation::new(id, summary, about).of::<Id<JobId>>("id", "The job's id.")
}

pub(crate) fn get_task() -> Operation {
    of_a_task("getTask", "Show a job of one task", "")
        .answers::<Wrapped<'static>>(200, "The job.")
        .with_header::<Seconds>("Retry-After", AGAIN)
}

pub(crate) fn cancel_task() -> Operation {
    of_a_task("cancelTask", "Call a job of one task off", "Its webhook is told.")
        .may_take::<Nothing>()
        .answers::<Wrapped<'static>>(200, "The job, which is cancelled.")
        .refuses(ended(), "The job has ended otherwise.")
}

pub(crate) fn report_task() -> Operation {
    of_a_task(
        "reportTask",
        "Report on a job of one task",
        "The worker's side. Reports may race and repeat; a job ends once.",
    )
    .takes::<TaskReport>()
    .answers::<Wrapped<'static>>(200, "The job after the report; one that repeats what is so changes nothing.")
    .refuses(ended(), ENDED)
}

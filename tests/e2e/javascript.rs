//! Customers who parse a job's body and write it again before they verify must get the very bytes back. JavaScript's own
//! writer decides: Node, on whatever titles, links and numbers chance comes up with.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use jiff::Timestamp;
use postrider_domain::dialect::DialectRef;
use postrider_domain::id::{JobId, TenantId, uuid};
use postrider_domain::job::{Applied, Job, JobStatus, Project, ProjectReport, ProjectStatus, Report, Task};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::jobs::titles::NASTY;

/// Answers each line of input, a JSON text, with what JavaScript writes for it. A line ends with a line feed and nothing
/// else: Node's own reader of lines would also end it where a title holds U+2028.
const REWRITE: &str = r"
    let rest = '';
    process.stdin.setEncoding('utf8').on('data', (text) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop();
        for (const line of lines) process.stdout.write(JSON.stringify(JSON.parse(line)) + '\n');
    });
";

/// The largest whole number that JavaScript keeps exact.
const LARGEST: u64 = (1 << 53) - 1;

/// A running Node.
struct Node {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Node {
    fn start() -> Self {
        let mut command = Command::new("node");
        command.args(["-e", REWRITE]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("node should be installed");
        let input = child.stdin.take().expect("stdin is piped");
        let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Self { child, input, output }
    }

    fn rewritten(&mut self, body: &str) -> String {
        assert!(!body.contains('\n'), "a compact body is one line");
        writeln!(self.input, "{body}").expect("node should listen");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("node should answer");
        line.trim_end_matches('\n').to_owned()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It is the test's own and has nothing left to say.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn job(dialect: &str) -> Job {
    let now = Timestamp::now();
    Job {
        id: JobId::uuid(Timestamp::UNIX_EPOCH, 7),
        tenant_id: TenantId::new(now, 1),
        dialect: DialectRef::named(dialect).expect("the dialect is built in"),
        status: JobStatus::Running,
        webhook_url: Some("https://your-server.invalid/".to_owned()),
        projects: Vec::new(),
        task: None,
        closing_event_id: None,
        revision: 0,
        created_at: now,
        started_at: None,
        completed_at: None,
        expires_at: 0,
    }
}

/// The body that tells how the job ended.
fn told(job: &Job, report: &Report) -> String {
    match job.apply(report, Timestamp::now()) {
        Ok(Applied::Changed(after)) => after.closing().expect("a job with a URL tells its end").1,
        other => panic!("{other:?}"),
    }
}

fn told_of_projects(projects: Vec<(String, Option<String>, bool)>) -> String {
    let mut job = job("nouvel");
    let id = |number: usize| uuid(u128::try_from(number).expect("a small number"));
    let project = |number| Project {
        id: id(number),
        title: "untitled".to_owned(),
        status: ProjectStatus::Running,
        video_url: None,
    };
    job.projects = (0..projects.len()).map(project).collect();
    let reports = projects.into_iter().enumerate().map(|(number, (title, video_url, completed))| ProjectReport {
        id: id(number),
        status: if completed { ProjectStatus::Completed } else { ProjectStatus::Failed },
        title: Some(title),
        video_url,
    });
    told(&job, &Report::Projects(reports.collect()))
}

fn told_of_a_task(credits: u64, status: JobStatus) -> String {
    let mut job = job("netraflow");
    job.task = Some(Task {
        url: "https://www.youtube.com/watch?v=x".to_owned(),
        platform: Some("youtube".to_owned()),
        capabilities: vec!["transcription".to_owned()],
        credits_charged: 0,
    });
    told(&job, &Report::Ended { status, credits_charged: Some(credits) })
}

/// Any text, or the hard ones between pieces of any text.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        proptest::sample::select(&NASTY[..]).prop_map(str::to_owned),
        any::<char>().prop_map(String::from)
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat().replace('\0', ""))
}

/// Holds every body that the strategy leads to against what JavaScript writes for it.
fn hold<S: Strategy>(cases: u32, strategy: &S, body_of: impl Fn(S::Value) -> String) {
    let node = RefCell::new(Node::start());
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(strategy, |value| {
        let body = body_of(value);
        prop_assert_eq!(node.borrow_mut().rewritten(&body), body);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn javascript_writes_the_body_of_projects_again_byte_for_byte() {
    let project = (texts(), proptest::option::of(texts()), any::<bool>());
    hold(2_000, &proptest::collection::vec(project, 1..10), told_of_projects);
}

#[test]
fn javascript_writes_the_body_of_a_task_again_byte_for_byte() {
    let credits = prop_oneof![0..=LARGEST, LARGEST - 9..=LARGEST, 0..10_u64];
    let status = prop_oneof![Just(JobStatus::Completed), Just(JobStatus::Failed)];
    hold(500, &(credits, status), |(credits, status)| told_of_a_task(credits, status));
}

#[test]
fn hard_titles_by_themselves_are_written_again_byte_for_byte() {
    let mut node = Node::start();
    for title in NASTY {
        let body = told_of_projects(vec![(title.to_owned(), Some(title.to_owned()), true)]);
        assert_eq!(node.rewritten(&body), body);
    }
}

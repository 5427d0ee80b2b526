//! The description of the running stack, as `make up` writes it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::{Once, OnceLock};

use serde::Deserialize;

use super::verifier::root;

/// The names and addresses of one deployed stack.
#[derive(Debug, Deserialize)]
pub(crate) struct Stack {
    pub(crate) api_url: String,
    pub(crate) endpoint_url: String,
    pub(crate) region: String,
    /// As CloudFormation knows it.
    #[serde(rename = "stack")]
    pub(crate) name: String,
    pub(crate) admin_key: String,
    pub(crate) functions: Functions,
    pub(crate) queues: Queues,
    pub(crate) tables: Tables,
    pub(crate) schedule_group: String,
    pub(crate) event_bus: String,
    /// What signs for dialects with one secret for all tenants.
    pub(crate) webhook_signing_secret: String,
    /// The dialects that the stack was deployed with beside the built-in ones, as JSON.
    #[serde(default)]
    pub(crate) extra_dialects: String,
    /// The operator's lists that the stack was deployed with: networks that are allowed, domains that are denied.
    #[serde(default)]
    pub(crate) allowed_target_cidrs: String,
    #[serde(default)]
    pub(crate) denied_target_domains: String,
    /// How deliveries name their sender, where the stack was told.
    #[serde(default)]
    pub(crate) user_agent: String,
    pub(crate) receiver_tls: ReceiverTls,
    /// The emulator, whose children the functions are.
    pub(crate) pids: Vec<u32>,
    /// `refuse` where the stack was made with `STRICT=1`; receivers on this machine are out of its reach then.
    #[serde(default)]
    private_targets: Option<String>,
}

/// The functions' names.
pub(crate) type Functions = BTreeMap<String, String>;

/// The queues' URLs.
#[derive(Debug, Deserialize)]
pub(crate) struct Queues {
    pub(crate) deliver: String,
    pub(crate) retry: String,
    pub(crate) slow: String,
    pub(crate) dead: String,
    pub(crate) quarantine: String,
    pub(crate) unfinished: String,
    pub(crate) continuation: String,
    pub(crate) triggers: String,
}

/// The tables' names.
#[derive(Debug, Deserialize)]
pub(crate) struct Tables {
    pub(crate) config: String,
    pub(crate) jobs: String,
    pub(crate) events: String,
    pub(crate) deliveries: String,
}

/// The files with which a receiver on this machine is trusted by the stack's functions.
#[derive(Debug, Deserialize)]
pub(crate) struct ReceiverTls {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
    /// Certificates for the same key that nobody should accept, by what is wrong with them.
    pub(crate) misfits: BTreeMap<String, PathBuf>,
}

impl Stack {
    /// The stack under test, whose functions reach receivers on this machine. Without one the test fails.
    #[track_caller]
    pub(crate) fn running() -> &'static Self {
        let stack = Self::any();
        assert!(!stack.refuses_private_targets(), "the stack was made with STRICT=1: `make up` without it");
        stack
    }

    /// The stack under test, if it was made with `STRICT=1`. Where none runs the test fails.
    #[track_caller]
    pub(crate) fn strict() -> Option<&'static Self> {
        let stack = Some(Self::any()).filter(|stack| stack.refuses_private_targets());
        if stack.is_none() {
            say("not tried: the stack was made without STRICT=1");
        }
        stack
    }

    fn refuses_private_targets(&self) -> bool {
        self.private_targets.as_deref() == Some("refuse")
    }

    /// The file that describes the stack under test, wherever it is named from: cargo runs tests in their package's folder, while
    /// a person stands in the repository's.
    #[track_caller]
    pub(crate) fn description() -> PathBuf {
        let named = std::env::var_os("POSTRIDER_STACK").map(PathBuf::from);
        let places = named.iter().flat_map(|path| [PathBuf::from(path), root().join(path)]);
        let Some(found) = places.into_iter().find(|path| path.is_file()) else {
            let why = named.map(|path| format!(" ({} is not there)", path.display())).unwrap_or_default();
            panic!("no stack runs{why}: `make up`, then `make e2e`, or name one by POSTRIDER_STACK");
        };
        found.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", found.display()))
    }

    /// Where the stack's files are, its description and the emulator's log among them.
    pub(crate) fn folder() -> PathBuf {
        Self::description().parent().expect("a file lies in a folder").to_owned()
    }

    #[track_caller]
    fn any() -> &'static Self {
        static STACK: OnceLock<Stack> = OnceLock::new();
        let path = Self::description();
        STACK.get_or_init(|| {
            let stack = Self::load(&path);
            point_to_logs(&path);
            stack
        })
    }

    fn load(path: &Path) -> Self {
        let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// Has the first failure say where to look for more.
fn point_to_logs(description: &Path) {
    let line = format!(
        "a test failed; what a function logged: make logs F=deliver POSTRIDER_STACK={} (or another function); the emulator: {}",
        description.display(),
        description.with_file_name("emulator.log").display()
    );
    let (before, once) = (panic::take_hook(), Once::new());
    panic::set_hook(Box::new(move |failure| {
        before(failure);
        once.call_once(|| say(&line));
    }));
}

/// Says one line past the test harness, which would swallow the output of a test that passes.
pub(crate) fn say(line: &str) {
    // Nobody may be listening any more; that is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}

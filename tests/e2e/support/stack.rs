//! The description of the running stack, as `make up` writes it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;

/// The names and addresses of one deployed stack.
#[derive(Debug, Deserialize)]
pub(crate) struct Stack {
    pub(crate) api_url: String,
    pub(crate) endpoint_url: String,
    pub(crate) region: String,
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
    pub(crate) dead: String,
    pub(crate) quarantine: String,
    pub(crate) unfinished: String,
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
    /// The stack under test, if one runs whose functions reach receivers on this machine.
    pub(crate) fn running() -> Option<&'static Self> {
        Self::any().filter(|stack| !stack.refuses_private_targets())
    }

    /// The stack under test, if it was made with `STRICT=1`.
    pub(crate) fn strict() -> Option<&'static Self> {
        Self::any().filter(|stack| stack.refuses_private_targets())
    }

    fn refuses_private_targets(&self) -> bool {
        self.private_targets.as_deref() == Some("refuse")
    }

    /// Where the stack's files are, its description and the emulator's log among them.
    pub(crate) fn folder() -> PathBuf {
        let path = std::env::var_os("POSTRIDER_STACK").map(PathBuf::from);
        let folder = path.as_deref().and_then(Path::parent);
        folder.expect("a stack that runs has its description in a folder").to_owned()
    }

    fn any() -> Option<&'static Self> {
        static STACK: OnceLock<Option<Stack>> = OnceLock::new();
        STACK.get_or_init(Self::load).as_ref()
    }

    fn load() -> Option<Self> {
        let Some(path) = std::env::var_os("POSTRIDER_STACK") else {
            say(
                "end-to-end tests skipped: no stack is running (POSTRIDER_STACK names none; `make test` brings one up)",
            );
            return None;
        };
        let path = PathBuf::from(path);
        let text = std::fs::read(&path).unwrap_or_else(|error| panic!("POSTRIDER_STACK={}: {error}", path.display()));
        Some(serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }
}

/// Says one line past the test harness, which would swallow the output of a test that passes.
pub(crate) fn say(line: &str) {
    // Nobody may be listening any more; that is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}

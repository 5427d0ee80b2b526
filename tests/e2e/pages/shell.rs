//! A person's shell: with the pinned tools first in its path, in a folder of its own, and with what the person has set.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use crate::support::stack::Stack;
use crate::support::verifier::{root, run, words};
use crate::support::{Receiver, cli};

/// After what a block printed.
const MARK: &str = "~~~ of the test ~~~";
/// What a page may name by its path from the repository.
const NAMED: [&str; 3] = ["docs", "local", "Makefile"];
/// For SQS the pinned CLI goes to AWS's own address unless its command line says another, whatever `AWS_ENDPOINT_URL` says.
const TO_THE_EMULATOR: &str = r#"aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }"#;

pub(crate) struct Shell {
    pub(crate) folder: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl Shell {
    /// `name` tells its folder from those of other tests.
    pub(crate) fn new(stack: &Stack, name: &str) -> Self {
        let folder = Stack::folder().join("pages").join(name);
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).expect("a folder can be made beside the stack's description");
        for name in NAMED {
            symlink(root().join(name), folder.join(name)).expect("the folder is new");
        }
        let tools = cli::program().parent().expect("the CLI lies in a folder").display().to_string();
        let path = format!("{tools}:{}", env::var("PATH").unwrap_or_default());
        let mut shell = Self { folder, variables: vec![("PATH", path)] };
        // A page has to see to its pager by itself.
        for (name, value) in cli::environment(stack).into_iter().filter(|(name, _)| *name != "AWS_PAGER") {
            shell = shell.given(name, value);
        }
        shell.given("STACK", Stack::description().display().to_string()).given("STACK_NAME", &stack.name)
    }

    /// Sets a variable before the first block.
    pub(crate) fn given(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Has deliveries sent to this receiver.
    pub(crate) fn hook(self, receiver: &Receiver) -> Self {
        self.given("HOOK", receiver.url("/webhooks"))
    }

    /// Runs the blocks one after another, and stops at the first that fails, which fails the test; what each of them printed.
    #[track_caller]
    pub(crate) fn run(&self, blocks: &[String]) -> Vec<String> {
        let mut script = format!("set -euo pipefail\n{TO_THE_EMULATOR}\n");
        for block in blocks {
            script += &format!("{block}\necho '{MARK}'\n");
        }
        let mut command = Command::new("bash");
        command.current_dir(&self.folder).arg("-s").env_remove("AWS_PAGER").envs(self.variables.iter().cloned());
        let output = run(&mut command, script.as_bytes());
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut said: Vec<String> = printed.split(&format!("{MARK}\n")).map(str::to_owned).collect();
        let rest = said.pop().unwrap_or_default();
        let begun = blocks.get(said.len()).map_or("", |block| block);
        assert!(output.status.success(), "{begun}\nfails:\n{rest}{}", words(&output));
        assert!(!printed.contains("\"error\""), "a call was refused: {printed}");
        assert_eq!(said.len(), blocks.len(), "the script ran to its end: {printed}");
        said
    }

    /// The same, then the values of variables; and all that was printed.
    #[track_caller]
    pub(crate) fn run_and_tell(&self, blocks: &[String], variables: &[&str]) -> (String, Vec<String>) {
        let asked = variables.iter().map(|name| format!("printf '%s\\n' \"${name}\"\n")).collect();
        let mut said = self.run(&[blocks, &[asked]].concat());
        let values: Vec<String> = said.pop().unwrap_or_default().lines().map(str::to_owned).collect();
        assert_eq!(values.len(), variables.len(), "{variables:?} are {values:?}");
        (said.concat(), values)
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

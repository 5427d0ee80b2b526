//! `sam deploy` as the pages print it: with the pinned SAM CLI, our samconfig.toml and the template's own parameters. The emulator
//! refuses some of the template's resources (alarms by metric math), so the stack is a topic.

use std::fs;

use serde_json::Value;

use super::blocks;
use super::shell::Shell;
use crate::support::{World, cli};

/// One for each block.
const STACKS: [&str; 2] = ["deployed-as-printed", "deployed-with-dialects"];
/// A build takes a quarter of an hour. SAM CLI asks whether to go on, and a person says yes.
const SAM: &str = r#"sam() { [ "$1" = build ] || command sam "$@" <<< y; }"#;
/// What stands below it is the template's own.
const TOPIC: &str = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n";

fn parameters() -> String {
    let template = blocks::read("template.yaml");
    let (_, below) = template.split_once("\nParameters:\n").expect("the template has parameters");
    let own = below.lines().take_while(|line| line.is_empty() || line.starts_with([' ', '#']));
    format!("Parameters:\n{}\n", own.collect::<Vec<_>>().join("\n"))
}

fn own_dialects() -> String {
    let page = blocks::read("docs/dialects.md");
    let (_, below) = page.split_once("```json\n").expect("the page shows a list of dialects");
    below.split("```").next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_template_is_deployed_as_printed() {
    let world = World::open();
    let shell = Shell::new(world.stack, "deploy").given("SAM_CLI_TELEMETRY", "0");
    let build = shell.folder.join(".aws-sam/build");
    fs::create_dir_all(&build).expect("a build has a folder");
    fs::write(build.join("template.yaml"), format!("{}{TOPIC}", parameters())).expect("a build has a template");
    fs::write(shell.folder.join("dialects.json"), own_dialects()).expect("the folder takes a file");
    fs::write(shell.folder.join("samconfig.toml"), blocks::read("samconfig.toml")).expect("the folder takes a file");
    let rehearsed = ["README.md", "docs/dialects.md"].map(blocks::only_rehearsed).concat();
    let printed = rehearsed.into_iter().filter(|block| block.contains("sam deploy")).collect::<Vec<_>>();
    assert_eq!(printed.len(), STACKS.len(), "pages say how to deploy: {printed:?}");
    let printed = STACKS.iter().zip(printed).map(|(name, block)| format!("STACK_NAME={name}\n{block}"));
    let said = shell.run(&[&[SAM.to_owned()], &printed.collect::<Vec<_>>()[..]].concat());
    let given = STACKS.map(|name| {
        let described = cli::aws(world.stack, &["cloudformation", "describe-stacks", "--stack-name", name]);
        cli::try_aws(world.stack, &[&["cloudformation", "delete-stack", "--stack-name", name]]);
        let stack = &described["Stacks"][0];
        assert_eq!(stack["StackStatus"], "CREATE_COMPLETE", "{}", said.concat());
        assert_eq!((parameter(stack, "Environment"), parameter(stack, "CpuArch")), ("prod", "arm64"));
        parameter(stack, "ExtraDialects").to_owned()
    });
    assert_eq!(given[0], "");
    let json = |text: &str| serde_json::from_str::<Value>(text).expect("dialects are JSON");
    assert_eq!(json(&given[1]), json(&own_dialects()));
}

fn parameter<'a>(stack: &'a Value, name: &str) -> &'a str {
    let all = stack["Parameters"].as_array().expect("a stack has parameters");
    let found = all.iter().find(|parameter| parameter["ParameterKey"] == name);
    found.and_then(|parameter| parameter["ParameterValue"].as_str()).unwrap_or_else(|| panic!("no {name}: {all:?}"))
}

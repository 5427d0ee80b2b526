//! The blocks of shell that a page prints.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::support::verifier::root;

const OPENS: &str = "```sh";
const CLOSES: &str = "```";

/// A block that is only rehearsed.
#[derive(Debug, Deserialize)]
struct Rehearsed {
    page: String,
    begins: String,
}

fn rehearsed(page: &str) -> Vec<Rehearsed> {
    let text = read("tests/pages/rehearsed.json");
    let all: Vec<Rehearsed> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("rehearsed.json: {error}"));
    all.into_iter().filter(|rehearsed| rehearsed.page == page).collect()
}

/// Every page that might print something to type.
pub(crate) fn pages() -> Vec<String> {
    let mut found: Vec<String> = ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned).into();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("docs should be read").map(|entry| entry.expect("it is there").path())
        {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|kind| kind == "md") {
                let path = entry.strip_prefix(root()).expect("it lies below the root");
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// The blocks of a page that are to be run, in their order.
pub(crate) fn run(page: &str) -> Vec<String> {
    let rehearsed = rehearsed(page);
    let is_run = |block: &String| !rehearsed.iter().any(|left_out| block.starts_with(&left_out.begins));
    all(&read(page)).into_iter().filter(is_run).collect()
}

/// The blocks of a page that are only rehearsed.
pub(crate) fn only_rehearsed(page: &str) -> Vec<String> {
    let run = run(page);
    all(&read(page)).into_iter().filter(|block| !run.contains(block)).collect()
}

/// The blocks below a page's heading.
pub(crate) fn below(page: &str, heading: &str) -> Vec<String> {
    let text = read(page);
    let (_, below) = text.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("{page}: no {heading}"));
    all(below.split("\n## ").next().unwrap_or_default())
}

/// What each page of the runbook, and whoever is on AWS, begins with.
pub(crate) fn before_you_begin() -> Vec<String> {
    below("docs/runbook/README.md", "Before you begin")
}

/// Each without the margin of the list that it stands in.
fn all(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut margin = None;
    for line in text.lines() {
        match (margin, line.trim()) {
            (None, OPENS) => {
                margin = Some(line.len() - line.trim_start().len());
                found.push(String::new());
            }
            (Some(_), CLOSES) => margin = None,
            (Some(margin), _) => {
                let block = found.last_mut().expect("a block is open");
                block.push_str(line.get(margin..).unwrap_or_default());
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    found
}

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

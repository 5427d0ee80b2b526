//! What `make bench-filters` measures: judges an event by a filter so many times, reading the filter anew each time as fan-out does. The
//! event is read once. Prints how many bytes `data` has, how long the filter is, how often it matched, and how much memory all of it took
//! at the most, in KiB.

use std::collections::BTreeMap;
use std::io::Write as _;

use postrider_domain::event::MAX_DATA_BYTES;
use postrider_domain::filter::{Filter, Seen};
use serde_json::{Value, json};

/// `data` with as many of these as fit, in the list `a`.
fn list_of(item: &str) -> String {
    let count = (MAX_DATA_BYTES - 16) / (item.len() + 1);
    format!(r#"{{"a":[{}]}}"#, vec![item; count].join(","))
}

/// A hundred comparisons of `a`.
fn hundred(test: impl Fn(usize) -> Value) -> Value {
    json!({"data": {"a": (0..100).map(test).collect::<Vec<Value>>()}})
}

/// The filter and the event's `data` of a case.
fn case(name: &str) -> Option<(Value, String)> {
    let deep = |text: &str, depth: usize| format!("{}{text}{}", "[".repeat(depth), "]".repeat(depth));
    Some(match name {
        "typical" => (
            json!({"data": {"amount": [{"numeric": [">", 1000]}], "customer": {"country": ["DE", "AT"]}}, "tags": {"tier": ["gold"]}}),
            json!({"id": "in_1Q8xYw2eZvKYlo2C", "amount": 12900, "customer": {"id": "cus_9s6XKzkNRiz8i3", "country": "AT"}}).to_string(),
        ),
        "numbers" => (hundred(|n| json!({"numeric": [">", n + 9]})), list_of("7")),
        "whole numbers and fractions" => (hundred(|n| json!(n + 9)), list_of("7.5")),
        "texts in any case" => (hundred(|n| json!({"equals-ignore-case": format!("\u{e9}{n}")})), list_of("\"\u{c9}\"")),
        "anything but" => (json!({"data": {"a": [{"anything-but": (0..100).collect::<Vec<u8>>()}]}}), list_of("7")),
        "wildcards, one long text" => (
            hundred(|n| json!({"wildcard": format!("*aaaaaaaaaaaab*{n}")})),
            format!(r#"{{"a":"{}"}}"#, "a".repeat(MAX_DATA_BYTES - 16)),
        ),
        "wildcards, many texts" => (hundred(|n| json!({"wildcard": format!("*a*a*b{n}*")})), list_of(r#""aaaaaaaa""#)),
        "objects" => {
            let fields: Vec<Value> = (0..100).map(|n| json!({format!("k{n}"): [1]})).collect();
            (json!({"data": {"a": {"$or": fields}}}), list_of(r#"{"b":1}"#))
        }
        "absent in objects" => {
            let fields: serde_json::Map<String, Value> = (0..100).map(|n| (format!("k{n}"), json!([{"exists": false}]))).collect();
            (json!({"data": {"a": fields}}), list_of(r#"{"b":1}"#))
        }
        "lists in lists" => (hundred(|n| json!({"numeric": ["<", n]})), list_of(&deep("700", 30))),
        "alternatives multiplied out" => {
            let fields = |of: &str| (0..10).map(|n| json!({"data": {"a": {format!("{of}{n}"): [1]}}})).collect::<Vec<Value>>();
            let nine: serde_json::Map<String, Value> = (0..4).map(|n| (format!("b{n}"), json!([1, {"exists": false}]))).collect();
            (json!({"data": {"a": nine}, "$or": fields("c")}), list_of(r#"{"b":1}"#))
        }
        _ => return None,
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, times] = args.as_slice() else { return Err("usage: <case> <judgements>".into()) };
    let (filter, data) = case(name).ok_or("no such case")?;
    let (filter, times): (String, u32) = (filter.to_string(), times.parse()?);
    let tags = BTreeMap::from([("tier".to_owned(), "gold".to_owned())]);
    let seen = Seen::read("invoice.paid", &data, &tags)?;
    let mut matches = 0;
    for _ in 0..times {
        matches += u32::from(Filter::parse(&filter)?.matches(&seen));
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let peak_kb: u32 = peak.trim().trim_end_matches(" kB").parse()?;
    writeln!(std::io::stdout(), "{} {} {matches} {peak_kb}", data.len(), filter.len())?;
    Ok(())
}

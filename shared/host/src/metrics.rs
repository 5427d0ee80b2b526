//! Metrics in CloudWatch's embedded metric format: a log line that CloudWatch reads as numbers, so that they cost no call.

use std::io::Write as _;

use postrider_domain::time;
use serde_json::{Map, Value, json};

use crate::clock;

const NAMESPACE: &str = "Postrider";
/// Values of one metric that a line may hold (the format's specification).
const MOST_VALUES: usize = 100;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
}

/// Writes one metric with these dimensions beside the function's name.
pub fn emit(name: &str, unit: Unit, dimensions: &[(&str, &str)], values: &[f64]) {
    for values in values.chunks(MOST_VALUES) {
        let line = line(&function_name(), name, unit, dimensions, values);
        // Metrics that cannot be written are not worth failing for.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}

/// Counts by how much this machine's clock is wrong, if it is.
pub fn emit_clock_difference() {
    let seconds = clock::difference_seconds();
    if seconds != 0 {
        emit("ClockDifference", Unit::Seconds, &[], &[seconds.abs() as f64]);
    }
}

fn function_name() -> String {
    std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "unknown".to_owned())
}

fn line(function: &str, name: &str, unit: Unit, dimensions: &[(&str, &str)], values: &[f64]) -> Value {
    let names: Vec<&str> = ["FunctionName"].into_iter().chain(dimensions.iter().map(|(name, _)| *name)).collect();
    let now = clock::now();
    let mut line = Map::new();
    line.insert("timestamp".to_owned(), json!(time::wire(now)));
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [names],
                "Metrics": [{"Name": name, "Unit": format!("{unit:?}")}],
            }],
        }),
    );
    line.insert("FunctionName".to_owned(), json!(function));
    for (dimension, value) in dimensions {
        line.insert((*dimension).to_owned(), json!(value));
    }
    line.insert(name.to_owned(), if let [value] = values { json!(value) } else { json!(values) });
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_cloudwatch_needs_to_read_it() {
        let line = line("pr-deliver", "Attempts", Unit::Count, &[("Dialect", "nur"), ("Outcome", "succeeded")], &[3.0]);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "Postrider");
        assert_eq!(directive["Dimensions"], json!([["FunctionName", "Dialect", "Outcome"]]));
        assert_eq!(directive["Metrics"], json!([{"Name": "Attempts", "Unit": "Count"}]));
        assert!(line["_aws"]["Timestamp"].is_i64() || line["_aws"]["Timestamp"].is_u64());
        for (name, value) in
            [("FunctionName", json!("pr-deliver")), ("Dialect", json!("nur")), ("Attempts", json!(3.0))]
        {
            assert_eq!(line[name], value, "every dimension and metric stands at the root");
        }
    }

    #[test]
    fn several_values_stand_in_one_line() {
        assert_eq!(
            line("f", "DeliveryLatency", Unit::Milliseconds, &[], &[1.0, 2.0])["DeliveryLatency"],
            json!([1.0, 2.0])
        );
    }
}

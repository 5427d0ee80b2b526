//! Metrics in CloudWatch's embedded metric format: a log line that CloudWatch reads as numbers, so that they cost no call.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use postrider_domain::{named, time};
use serde_json::{Map, Value, json};

use crate::clock;

const NAMESPACE: &str = "Postrider";
/// Values of one metric that a line may hold (the format's specification).
const MOST_VALUES: usize = 100;
/// What there is very much of is written once in so long: a line for each would cost a good part of what the thing itself does.
const INTERVAL: SignedDuration = SignedDuration::from_secs(60);

static COUNTS: Mutex<BTreeMap<&str, Count>> = Mutex::new(BTreeMap::new());

named! {
    /// Everything that is counted or measured, by its name in CloudWatch.
    pub enum Metric {
        /// Events that were taken in, by whichever door: each is a new row that fan-out is to take.
        AcceptedEvents = "AcceptedEvents",
        /// Attempts, by dialect and class of outcome.
        Attempts = "Attempts",
        /// Attempts that were not made since the address is not one that we may send to, by webhook.
        Blocked = "Blocked",
        /// By how much this machine's clock is wrong.
        ClockDifference = "ClockDifference",
        /// For how long the fan-out of an event for very many has gone on.
        ContinuationAge = "ContinuationAge",
        /// Dead letters that a sweep took from the dead-letter queue.
        DeadLetters = "DeadLetters",
        /// From an event to its success at a webhook, by dialect.
        DeliveryLatency = "DeliveryLatency",
        /// Rows that are lost.
        MissingRows = "MissingRows",
        /// Times that rows of two tenants, or of two deliveries, came together.
        MixedRows = "MixedRows",
        /// Deliveries that wait for their endpoint from now on.
        ParkedDeliveries = "ParkedDeliveries",
        /// Parked deliveries that were sent.
        DrainedDeliveries = "DrainedDeliveries",
        /// Endpoints that are down, so that what is for them is parked.
        ParkedEndpoints = "ParkedEndpoints",
        /// How long the delivery has waited that is parked for longest, in seconds.
        OldestParkedAge = "OldestParkedAge",
        /// By how much the row is late that has been due for longest.
        OldestDueAge = "OldestDueAge",
        /// Overdue rows that a sweep put back on the queue.
        RescuedDeliveries = "RescuedDeliveries",
        /// Events that fan-out took from the stream.
        TakenEvents = "TakenEvents",
        /// The age of the oldest message that fan-out failed at.
        UnfinishedAge = "UnfinishedAge",
        /// Rows that are there and cannot be read.
        UnreadableRows = "UnreadableRows",
    }
}

impl Metric {
    fn unit(self) -> &'static str {
        match self {
            Self::ClockDifference
            | Self::ContinuationAge
            | Self::OldestDueAge
            | Self::OldestParkedAge
            | Self::UnfinishedAge => "Seconds",
            Self::DeliveryLatency => "Milliseconds",
            Self::AcceptedEvents
            | Self::Attempts
            | Self::Blocked
            | Self::DeadLetters
            | Self::MissingRows
            | Self::MixedRows
            | Self::ParkedDeliveries
            | Self::DrainedDeliveries
            | Self::ParkedEndpoints
            | Self::RescuedDeliveries
            | Self::TakenEvents
            | Self::UnreadableRows => "Count",
        }
    }
}

/// Writes one metric with these dimensions beside the function's name.
pub fn emit(metric: Metric, dimensions: &[(&str, &str)], values: &[f64]) {
    for values in values.chunks(MOST_VALUES) {
        let line = line(&function_name(), metric, dimensions, values);
        // Metrics that cannot be written are not worth failing for.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}

/// Counts what there is very much of. The first is written at once, and what follows within a minute with the first that comes
/// after it. So whoever counts has written a line within the last minute, and what a process takes to its end is less than a
/// minute's: such a metric tells whether something happens, and about how often.
pub fn count(metric: Metric, times: usize) {
    if times == 0 {
        return;
    }
    let sum = {
        let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
        counts.entry(metric.as_str()).or_default().add(times, clock::now())
    };
    if let Some(sum) = sum {
        emit(metric, &[], &[sum]);
    }
}

/// What was counted since a line was written, and when that was: by the wall clock, since a frozen process's others stand still.
#[derive(Default)]
struct Count {
    sum: f64,
    written: Option<Timestamp>,
}

impl Count {
    /// Counts; what is to be written, if it is time for that. A clock that was put back makes nobody wait.
    fn add(&mut self, times: usize, now: Timestamp) -> Option<f64> {
        self.sum += times as f64;
        if self.written.is_some_and(|written| now.duration_since(written).abs() < INTERVAL) {
            return None;
        }
        self.written = Some(now);
        Some(std::mem::take(&mut self.sum))
    }
}

/// Counts by how much this machine's clock is wrong, if it is.
pub fn emit_clock_difference() {
    let seconds = clock::difference_seconds();
    if seconds != 0 {
        emit(Metric::ClockDifference, &[], &[seconds.abs() as f64]);
    }
}

fn function_name() -> String {
    std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "unknown".to_owned())
}

fn line(function: &str, metric: Metric, dimensions: &[(&str, &str)], values: &[f64]) -> Value {
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
                "Metrics": [{"Name": metric.as_str(), "Unit": metric.unit()}],
            }],
        }),
    );
    line.insert("FunctionName".to_owned(), json!(function));
    for (dimension, value) in dimensions {
        line.insert((*dimension).to_owned(), json!(value));
    }
    line.insert(metric.as_str().to_owned(), if let [value] = values { json!(value) } else { json!(values) });
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_cloudwatch_needs_to_read_it() {
        let line = line("pr-deliver", Metric::Attempts, &[("Dialect", "nur"), ("Outcome", "succeeded")], &[3.0]);
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
    fn what_is_counted_is_written_at_once_and_then_once_a_minute() {
        let at = |second: i64| Timestamp::from_second(1_768_000_000 + second).unwrap();
        let mut count = Count::default();
        let written = [(0, 3), (1, 2), (59, 1), (60, 4), (61, 1), (3_600, 1), (1_000, 1)]
            .map(|(second, times)| count.add(times, at(second)));
        assert_eq!(written, [Some(3.0), None, None, Some(7.0), None, Some(2.0), Some(1.0)]);
    }

    #[test]
    fn whoever_counts_has_written_within_the_last_minute() {
        let (mut count, mut last) = (Count::default(), 0);
        for second in (0..5_000).filter(|second| second * 7_919 % 13 < 3) {
            if count.add(1, Timestamp::from_second(second).unwrap()).is_some() {
                last = second;
            }
            assert!(second - last < 60, "at {second}");
        }
    }

    #[test]
    fn several_values_stand_in_one_line() {
        assert_eq!(line("f", Metric::DeliveryLatency, &[], &[1.0, 2.0])["DeliveryLatency"], json!([1.0, 2.0]));
    }
}

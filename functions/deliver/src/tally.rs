//! A batch's attempts, counted once and written as a few lines of metrics.

use std::collections::BTreeMap;

use postrider_domain::attempt::Outcome;
use postrider_host::metrics::{self, Metric};

use crate::attempt::Made;

/// Writes how a batch went: attempts by dialect and outcome, and how long each success took from its event.
pub(crate) fn emit(made: &[Made]) {
    let mut attempts: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    let mut blocked: BTreeMap<&str, f64> = BTreeMap::new();
    let mut latencies: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for one in made {
        *attempts.entry((one.dialect, one.outcome)).or_default() += 1.0;
        if one.outcome == Outcome::Blocked.class() {
            *blocked.entry(one.endpoint_id.as_str()).or_default() += 1.0;
        }
        if let Some(ms) = one.latency_ms {
            latencies.entry(one.dialect).or_default().push(ms as f64);
        }
    }
    for ((dialect, outcome), count) in attempts {
        metrics::emit(Metric::Attempts, &[("Dialect", dialect), ("Outcome", outcome)], &[count]);
    }
    // By endpoint, since its alarm names whose URL turned inwards; it is rare, so these are few.
    for (webhook_id, count) in blocked {
        metrics::emit(Metric::Blocked, &[("WebhookId", webhook_id)], &[count]);
    }
    for (dialect, values) in latencies {
        metrics::emit(Metric::DeliveryLatency, &[("Dialect", dialect)], &values);
    }
}

//! A batch's attempts, counted once and written as a few lines of metrics.

use std::collections::BTreeMap;

use postrider_domain::attempt::Outcome;
use postrider_host::metrics::{self, Metric};

use crate::attempt::Made;

/// Writes how a batch went: attempts by dialect and outcome, and how long each success took from its event.
pub(crate) fn emit(made: &[Made]) {
    let mut attempts: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    let mut blocked = 0.0;
    let mut latencies: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for one in made {
        *attempts.entry((one.dialect, one.outcome)).or_default() += 1.0;
        if one.outcome == Outcome::Blocked.class() {
            blocked += 1.0;
        }
        if let Some(ms) = one.latency_ms {
            latencies.entry(one.dialect).or_default().push(ms as f64);
        }
    }
    for ((dialect, outcome), count) in attempts {
        metrics::emit(Metric::Attempts, &[("Dialect", dialect), ("Outcome", outcome)], &[count]);
    }
    // Without the webhook's id: a tenant could make as many series of it as webhooks, and each is paid for. The log has it.
    if blocked > 0.0 {
        metrics::emit(Metric::Blocked, &[], &[blocked]);
    }
    for (dialect, values) in latencies {
        metrics::emit(Metric::DeliveryLatency, &[("Dialect", dialect)], &values);
    }
}

//! Prints as JSON what the programs say: routes, dialects, names and limits. The template and the pages say the same in their own
//! words, and checks in Python hold them to it (`tests/template/facts.py`). Asked for `openapi`, it prints the API's document; asked for
//! `code`, the programs that the portal shows.

mod code;
mod dialects;
mod limits;
mod openapi;
mod routes;
mod told;

use std::error::Error;
use std::io::Write as _;

use deliver::tls_failure::Sentence;
use postrider_domain::attempt::Code;
use postrider_domain::delivery::{Reason, Status};
use postrider_domain::detail_type::DetailType;
use postrider_domain::event::{EventType, OwnType};
use postrider_domain::key::Scope;
use postrider_domain::quota::{OF_TENANTS, Quota, Quotas};
use postrider_domain::tenant::Plan;
use postrider_host::metrics::Metric;
use serde_json::{Map, Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let said = match std::env::args().nth(1).as_deref() {
        Some("code") => code::by_dialect()?,
        Some("openapi") => openapi::document()?,
        _ => facts()?,
    };
    writeln!(std::io::stdout(), "{said:#}")?;
    Ok(())
}

fn facts() -> Result<Value, Box<dyn Error>> {
    Ok(json!({
        "routes": routes::by_function(),
        "scopes": names(Scope::ALL, Scope::as_str),
        "dialects": dialects::built_in()?,
        "written_dialect": dialects::written(),
        "statuses": names(Status::ALL, Status::as_str),
        "reasons": names(Reason::ALL, Reason::as_str),
        "outcomes": names(Code::ALL, Code::as_str),
        "tls_failures": names(Sentence::ALL, Sentence::as_str),
        "told": told::words(),
        "own_events": operational(),
        "detail_types": {
            "event": DetailType::Event.as_str(),
            "job": DetailType::Job.as_str(),
            "job_created": DetailType::JobCreated.as_str(),
            "notice": DetailType::Notice.as_str(),
        },
        "metrics": names(Metric::ALL, Metric::as_str),
        "quotas": quotas(),
        "event_rates": event_rates(),
        "quota_names": names(Quota::ALL, Quota::as_str),
        "quota_bounds": quota_bounds(),
        "limits": limits::by_name(),
    }))
}

/// What each plan gives.
fn quotas() -> Map<String, Value> {
    Plan::ALL.iter().map(|plan| (plan.as_str().to_owned(), json!(Quotas::of(*plan)))).collect()
}

/// How each plan's events are counted: what may come at once, and what a process lets pass that the others do not know of.
fn event_rates() -> Map<String, Value> {
    let told = |plan: &Plan| {
        let rate = Quotas::of(*plan).event_rate();
        json!({"burst": rate.burst(), "unsettled": rate.unsettled(), "quiet": rate.quiet()})
    };
    Plan::ALL.iter().map(|plan| (plan.as_str().to_owned(), told(plan))).collect()
}

/// The least and the most that an operator may set.
fn quota_bounds() -> Map<String, Value> {
    let bounds = |quota: Quota| json!([quota.bounds().start(), quota.bounds().end()]);
    OF_TENANTS.into_iter().map(|quota| (quota.as_str().to_owned(), bounds(quota))).collect()
}

/// Those of our own events that webhooks can ask for; the others go to no webhook.
fn operational() -> Vec<&'static str> {
    let all = OwnType::ALL.iter().copied();
    all.filter(|own| EventType::from(*own).is_operational()).map(OwnType::as_str).collect()
}

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().copied().map(name).collect()
}

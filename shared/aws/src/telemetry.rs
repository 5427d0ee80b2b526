//! Logs: one JSON object a line on standard output, where Lambda collects it.
//!
//! Lines carry ids, codes and durations: never a body, a URL's query, a header or a secret.

use tracing_subscriber::EnvFilter;

/// Starts logging; `RUST_LOG` sets the level, `info` where it says nothing.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(filter)
        .init();
}

//! Logs: one JSON object a line on standard output, where Lambda collects it.
//!
//! Lines carry ids, codes and durations: never a body, a URL's query, a header or a secret.

use tracing_subscriber::filter::LevelFilter;

/// Starts logging; `RUST_LOG` is the level, `info` where it is none, as in the template.
///
/// A level for everything and no filter by module: what filters by module brings a regex engine into every program.
pub fn start() {
    let level = std::env::var("RUST_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_max_level(level)
        .init();
}

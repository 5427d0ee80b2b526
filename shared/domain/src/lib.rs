//! What Postrider decides, and nothing of how it is carried out.
//!
//! Everything here is a pure function of its arguments: no async, no AWS, no clock and no entropy (this crate's
//! `clippy.toml` bans the last two), so that twenty-six hours of retries run in microseconds in a test.

pub mod announcement;
pub mod attempt;
pub mod delivery;
pub mod detail_type;
pub mod dialect;
pub mod egress;
pub mod endpoint;
pub mod event;
pub mod event_rate;
pub mod failures;
pub mod id;
pub mod idempotency_key;
pub mod invalid;
pub mod invisible;
pub mod job;
pub mod json;
pub mod key;
pub mod message;
pub mod named;
pub mod note;
pub mod obstacle;
pub mod own_event;
pub mod own_header;
pub mod pause;
pub mod payload;
pub mod plan;
pub mod quota;
pub mod rate_limit;
pub mod recovery;
mod reserved_header;
pub mod retry;
pub mod secret;
pub mod signature;
pub mod slow;
pub mod snapshot;
pub mod stored_secret;
pub mod tenant;
pub mod ticket;
pub mod time;
pub mod time_share;
pub mod tries;
pub mod web_url;
pub mod webhook_url;

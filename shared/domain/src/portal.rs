//! The customer portal's side of the API: links that work once, and the sessions that come of them.
//!
//! A session is a credential as a key is, for less: for one tenant, with some capabilities, perhaps for some webhooks alone, and never for
//! longer than a week. It is kept, as a key is, by the hash of a text that nobody has but who was given it.

mod capability;
mod look;
mod reach;
mod session;

pub use capability::{Capabilities, Capability};
pub use look::{Look, MAX_LANGUAGE_CHARS, MAX_TITLE_CHARS};
pub use reach::{MOST_WEBHOOKS, Reach};
pub use session::{
    LINK_SECONDS, Link, MAX_SECONDS, MIN_SECONDS, Session, USUAL_SECONDS, check_seconds, is_session, is_token,
};

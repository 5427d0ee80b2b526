//! Receivers that are broken or hostile, on real sockets: whatever one does, its attempt has an outcome in time, one POST
//! at most was made for it, and the good receivers of the same event have theirs.

mod answers;
mod bodies;
mod breaks;
mod closing;
mod frames;
mod gzip;
mod hints;
mod http2;
mod late;
mod leave;
mod memory;
mod raw;
mod reuse;
mod script;
mod tls;
mod trial;

pub(crate) use closing::Closing;

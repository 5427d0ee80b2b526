//! What the tests stand on: the stack's description, a client of its API, receivers, and patience.

/// A text that must never stand in a log; the tests put such texts wherever a customer's secrets may be.
macro_rules! canary {
    ($place:literal) => {
        concat!("CANARY", $place, "8Jq2vXw")
    };
}

pub(crate) mod api;
pub(crate) mod aws;
pub(crate) mod browsing;
pub(crate) mod bus;
pub(crate) mod cli;
pub(crate) mod customer;
pub(crate) mod functions;
pub(crate) mod openapi;
pub(crate) mod openssl;
pub(crate) mod poll;
pub(crate) mod portal;
pub(crate) mod processes;
pub(crate) mod proxy;
pub(crate) mod queues;
pub(crate) mod receiver;
pub(crate) mod refused_urls;
pub(crate) mod request;
pub(crate) mod rows;
pub(crate) mod schedule;
pub(crate) mod schema;
pub(crate) mod signed;
pub(crate) mod stack;
pub(crate) mod standard;
pub(crate) mod time;
pub(crate) mod timer;
pub(crate) mod verifier;
pub(crate) mod world;

pub(crate) use self::api::{Answer, Api};
pub(crate) use self::customer::Customer;
pub(crate) use self::poll::{SOON, until};
pub(crate) use self::receiver::{Gate, Receiver, Reply};
pub(crate) use self::world::{Tenant, World};
pub(crate) use canary;

//! Postrider as its users meet it: HTTP requests in, signed HTTPS requests out, and the ledger in between.
//!
//! Every test talks to one running stack (`make up`), whose description the file named by `POSTRIDER_STACK` holds. Each
//! makes a tenant and keys of its own, so they run side by side and in any order. Where no stack runs they fail, and say
//! what to do. Time is run forward by sending a schedule's message to its queue early, and what must still happen is
//! polled for; only what is promised within a minute may take that minute. What disturbs everybody (`chaos`) or comes
//! after everything (`logs`) is ignored unless asked for.

mod support;

mod again;
mod answers;
mod attempts;
mod bad_input;
mod batch;
mod cancel_pending;
mod cancelled;
mod cases;
mod changes;
mod chaos;
mod credentials;
mod deleted_tenants;
mod delivery;
mod dialects;
mod disabled;
mod document;
mod duplicates;
mod event_list;
mod event_quota;
mod event_types;
mod events;
mod examples;
mod expunged;
mod external_ids;
mod filters;
mod idempotency;
mod invocations;
mod isolation;
mod javascript;
mod jobs;
mod json;
mod keys;
mod ledger;
mod logs;
mod misbehaving;
mod notices;
mod own_headers;
mod pace;
mod pages;
mod portal_pages;
mod portal_sessions;
mod portal_webhook;
mod portal_webhooks;
mod previews;
mod producers;
mod providers;
mod quotas;

mod receiver;
mod recoveries;
mod reference_page;
mod refusals;
mod repeated;
mod requests_again;
mod response_headers;
mod retries;
mod rotation;
mod seeds;
mod send_event;
mod smoke_receiver;
mod standard;
mod stats;
mod targets;
mod tenants;
mod told;
mod transport;
mod trials;
mod triggers;
mod undelivered;
mod under_way;
mod unreadable;
mod urls;
mod verify;
mod walks;
mod webhooks;

//! The pages: one table, of which every path, who may see it and what answers it come.
//!
//! # How to add a page
//!
//! 1. `pages/<noun>.rs`, with `pub(crate) async fn list(visit: &Visit<'_>) -> Result<Shown, Trouble>`. It asks the API by `visit.get`,
//!    `post`, `create`, `patch` and `delete`, into types of its own that derive `Deserialize`; what the API refuses comes back as a
//!    [`Trouble`](crate::trouble::Trouble), which becomes a page by itself where you return it. What stands in the path is in
//!    `visit.variables`, what was posted in `visit.form`.
//! 2. A line in [`ROUTES`]: `page` for what all may see, `page_to` for a form of those who may use it, `form` for its POST. The session,
//!    the capability, cross-site posts, 404 and 405 are seen to before your function is called.
//! 3. `texts/<noun>.rs`, and its constants in `texts/en` and `texts/de`: a page says nothing that is not there.
//! 4. A button that not every session may press stands behind `visit.may(…)`. Each form has `parts::token(visit)` in it, its action is
//!    `visit.to("webhooks/…")`, and its handler ends with `Shown::see("webhooks/…")`, so that loading again posts nothing.
//! 5. Links are `visit.to("…")`, never absolute; an address that somebody wrote becomes a link by `parts::web_address` alone. Times are
//!    `time::shown`. `parts` has buttons, badges, empty states, what is copied, and the way through pages.
//! 6. A part that the script loads, or loads again, is `Shown::Part`, a picture `Shown::Picture`, each with a line of its own.
//!
//! The script (`page/portal.js`) is told by attributes what to do: it says which there are.

mod changes;
mod delivery;
mod doctor;
mod edit;
mod event;
mod event_types;
mod events;
mod field;
mod glance;
mod jobs;
pub(crate) mod message;
mod removal;
mod webhook;
mod webhooks;

use crate::assets;
use crate::enter;
use crate::routes::Route;
use crate::session::Capability::{Edit, Secrets, Send, View};

/// All of them, by their paths below the portal's own. Of two that fit a request, the first one counts.
pub(crate) const ROUTES: &[Route] = &[
    Route::open("GET", "assets/{name}", |guest| Box::pin(async { assets::file(guest) })),
    Route::open("GET", "enter/{token}", |guest| Box::pin(async { Ok(enter::asked(guest).await) })),
    Route::open("POST", "enter", |guest| Box::pin(enter::enter(guest))),
    Route::open("GET", "left", |guest| Box::pin(async { Ok(enter::left(guest)) })),
    Route::open("POST", "leave", |guest| Box::pin(enter::leave(guest))),
    Route::page("", |visit| Box::pin(enter::start(visit))),
    Route::page("webhooks", |visit| Box::pin(webhooks::list(visit))),
    Route::page("events", |visit| Box::pin(events::list(visit))),
    Route::page("events/{id}", |visit| Box::pin(event::one(visit))),
    Route::form(Send, "events/{id}/send", |visit| Box::pin(event::send(visit))),
    Route::page("event-types", |visit| Box::pin(event_types::list(visit))),
    Route::page("event-types/{name}", |visit| Box::pin(event_types::one(visit))),
    Route::page("doctor", |visit| Box::pin(doctor::form(visit))),
    Route::form(View, "doctor", |visit| Box::pin(doctor::examine(visit))),
    Route::page("jobs", |visit| Box::pin(jobs::list(visit))),
    Route::page("jobs/{id}", |visit| Box::pin(jobs::one::one(visit))),
    Route::page_to(Send, "jobs/{kind}/recover", |visit| Box::pin(jobs::recover::form(visit))),
    Route::form(Send, "jobs/{kind}/recover", |visit| Box::pin(jobs::recover::ask(visit))),
    Route::page("jobs/{kind}/recover/{recovery}", |visit| Box::pin(jobs::recover::watch(visit))),
    Route::page("changes", |visit| Box::pin(changes::list(visit))),
    Route::page_to(Edit, "webhooks/new", |visit| Box::pin(edit::new(visit))),
    Route::form(Edit, "webhooks/new", |visit| Box::pin(edit::create(visit))),
    Route::form(Edit, "webhooks/filter", |visit| Box::pin(edit::tried(visit))),
    Route::page("webhooks/{id}", |visit| Box::pin(webhook::show(visit))),
    Route::page("webhooks/{id}/bar.svg", |visit| Box::pin(glance::bar(visit))),
    Route::page("webhooks/{id}/glance", |visit| Box::pin(glance::glance(visit))),
    Route::page_to(Edit, "webhooks/{id}/edit", |visit| Box::pin(edit::edit(visit))),
    Route::form(Edit, "webhooks/{id}/edit", |visit| Box::pin(edit::save(visit))),
    Route::page_to(Edit, "webhooks/{id}/delete", |visit| Box::pin(removal::ask(visit))),
    Route::form(Edit, "webhooks/{id}/delete", |visit| Box::pin(removal::delete(visit))),
    Route::form(Edit, "webhooks/{id}/pause", |visit| Box::pin(webhook::pause(visit))),
    Route::form(Edit, "webhooks/{id}/enable", |visit| Box::pin(webhook::enable(visit))),
    Route::page_to(Send, "webhooks/{id}/test", |visit| Box::pin(webhook::trial::form(visit))),
    Route::form(Send, "webhooks/{id}/test", |visit| Box::pin(webhook::trial::send(visit))),
    Route::page_to(Send, "webhooks/{id}/recover", |visit| Box::pin(webhook::recovery::form(visit))),
    Route::form(Send, "webhooks/{id}/recover", |visit| Box::pin(webhook::recovery::posted(visit))),
    Route::page("webhooks/{id}/recover/{recovery}", |visit| Box::pin(webhook::recovery::progress(visit))),
    Route::page_to(Send, "webhooks/{id}/cancel", |visit| Box::pin(webhook::cancellation::form(visit))),
    Route::form(Send, "webhooks/{id}/cancel", |visit| Box::pin(webhook::cancellation::cancel(visit))),
    Route::page("webhooks/{id}/cancel/{cancellation}", |visit| Box::pin(webhook::cancellation::progress(visit))),
    Route::page_to(Secrets, "webhooks/{id}/rotate", |visit| Box::pin(webhook::rotation::form(visit))),
    Route::form(Secrets, "webhooks/{id}/rotate", |visit| Box::pin(webhook::rotation::rotate(visit))),
    Route::page("webhooks/{id}/code", |visit| Box::pin(webhook::code::show(visit))),
    Route::page_to(Send, "webhooks/{id}/preview", |visit| Box::pin(webhook::preview::form(visit))),
    Route::form(Send, "webhooks/{id}/preview", |visit| Box::pin(webhook::preview::show(visit))),
    Route::page("deliveries/{id}", |visit| Box::pin(delivery::show(visit))),
    Route::form(Send, "deliveries/{id}/resend", |visit| Box::pin(delivery::resend(visit))),
    Route::form(Send, "deliveries/{id}/cancel", |visit| Box::pin(delivery::cancel(visit))),
];

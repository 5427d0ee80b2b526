//! One request: from API Gateway's event to a page, logged, and never later than Lambda would end the function.

use std::cell::Cell;
use std::time::Instant;

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use postrider_api::invocation::Invocation;
use postrider_api::{Request, Response, gzipped};
use postrider_host::deadline::{self, Waiting};
use tokio::sync::Semaphore;

use crate::cookie;
use crate::forgery;
use crate::form::Form;
use crate::layout;
use crate::pages;
use crate::policy;
use crate::portal::Portal;
use crate::routes::{self, Astray, Handler};
use crate::session::Capability;
use crate::shown::Shown;
use crate::trouble::Trouble;
use crate::visit::{AT_ONCE, Guest, Visit, root};

/// What the log calls a path that is none. One that is may hold a link's token, so its route stands in its place.
const NO_PATH: &str = "no page";
const HTML: &str = "text/html; charset=utf-8";
/// For a file whose name changes with what is in it.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";
const NOT_KEPT: &str = "no-store";

/// Answers one API Gateway event by a page.
pub async fn serve(portal: &Portal, event: Invocation) -> ApiGatewayV2httpResponse {
    let started = Instant::now();
    let invocation = event.context.request_id;
    let Ok(request) = Request::read(event.payload.get(), &invocation) else {
        tracing::warn!(status = 400, request_id = invocation, "portal.not_understood");
        return Response::no_content().with_status(400).into_gateways(&invocation);
    };
    let work = Box::pin(answered(portal, &request));
    let (route, trouble, response) = deadline::within(event.context.deadline, Waiting::Caller, work).await;
    let (method, request_id, status) = (&request.method, &request.id, response.status());
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match trouble {
        Some(Trouble::Failed(cause)) => tracing::error!(method, route, status, ms, request_id, cause, "portal.failed"),
        _ => tracing::info!(method, route, status, ms, request_id, "portal.answered"),
    }
    response.into_gateways(request_id)
}

/// The route, what went wrong, and the answer.
async fn answered(portal: &Portal, request: &Request) -> (&'static str, Option<Trouble>, Response) {
    let segments = match request.segments.get(1..).unwrap_or_default() {
        // `portal/` is the portal's own address, too.
        [only] if only.is_empty() => &[],
        segments => segments,
    };
    let found = routes::find(pages::ROUTES, &request.method, segments);
    let brand = portal.brand.clone();
    let guest = Guest {
        request,
        api: &portal.api,
        texts: brand.language.texts(),
        brand,
        variables: found.as_ref().map(|(_, variables)| *variables).unwrap_or_default(),
        root: root(request.segments.len()),
    };
    let route = match found {
        Ok((route, _)) => route,
        Err(Astray::NoPath) => return (NO_PATH, None, told(&guest, None, layout::astray(&guest, 404))),
        Err(Astray::NoMethod { path, allowed }) => {
            let response = told(&guest, None, layout::astray(&guest, 405));
            return (path, None, response.header("allow", allowed));
        }
    };
    let (trouble, response) = match &route.handler {
        Handler::All(handler) => settled(&guest, None, in_time(handler(&guest)).await),
        Handler::Visitors(needs, handler) => match visit(portal, guest.clone()).await {
            Err(trouble) => settled(&guest, None, Err(trouble)),
            Ok(visit) => {
                let shown = match may(&visit, *needs) {
                    Ok(()) => in_time(handler(&visit)).await,
                    Err(trouble) => Err(trouble),
                };
                settled(&visit, Some(&visit), shown)
            }
        },
    };
    (route.path, trouble, response)
}

/// The visit of whoever has a session.
async fn visit<'a>(portal: &'a Portal, guest: Guest<'a>) -> Result<Visit<'a>, Trouble> {
    let secret = cookie::sent(guest.request).ok_or(Trouble::Ended)?;
    let session = in_time(portal.sessions.of(&portal.api, secret)).await?;
    let form = if guest.request.method == "POST" { Form::read(guest.request)? } else { Form::default() };
    let brand = session.brand(&portal.brand);
    let guest = Guest { texts: brand.language.texts(), brand, ..guest };
    Ok(Visit { guest, session, secret, form, calls: Cell::new(1), room: Semaphore::new(AT_ONCE) })
}

/// Whether a visitor may have what he asks for: what he posts has to be filled in here.
fn may(visit: &Visit<'_>, needs: Capability) -> Result<(), Trouble> {
    let is_own = || !forgery::is_from_elsewhere(visit.request) && forgery::is_own(visit.secret, visit.form.token());
    if visit.request.method == "POST" && !is_own() {
        return Err(Trouble::Forged);
    }
    if visit.may(needs) { Ok(()) } else { Err(Trouble::Forbidden) }
}

/// Whatever it is that takes too long: the reader has a page before Lambda ends the function.
async fn in_time<T>(work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    let timed = tokio::time::timeout(deadline::left(), work).await;
    timed.unwrap_or_else(|_| Err(Trouble::failed("the time was over".to_owned())))
}

fn settled(guest: &Guest<'_>, visit: Option<&Visit<'_>>, shown: Result<Shown, Trouble>) -> (Option<Trouble>, Response) {
    match shown {
        Ok(shown) => (shown.trouble().cloned(), told(guest, visit, shown)),
        Err(trouble) => {
            let page = layout::troubled(guest, &trouble);
            // A session that has ended leads nowhere any more.
            let visit = visit.filter(|_| trouble != Trouble::Ended);
            (Some(trouble), told(guest, visit, page))
        }
    }
}

fn told(guest: &Guest<'_>, visit: Option<&Visit<'_>>, shown: Shown) -> Response {
    let (response, cookies) = match shown {
        Shown::Page(page) => {
            let text = layout::whole(guest, visit, &page).into_string();
            (sent(guest, HTML, &text, NOT_KEPT).with_status(page.status), page.left.cookies)
        }
        Shown::See { path, left } => {
            let response = Response::see(guest.to(&path)).header("cache-control", NOT_KEPT);
            (policy::guarded(response, &guest.brand), left.cookies)
        }
        Shown::Picture(markup) => (sent(guest, "image/svg+xml", &markup.into_string(), NOT_KEPT), Vec::new()),
        Shown::Part(markup) => (sent(guest, HTML, &markup.into_string(), NOT_KEPT), Vec::new()),
        Shown::File { content_type, text } => (sent(guest, content_type, &text, FOR_GOOD), Vec::new()),
    };
    cookies.into_iter().fold(response, Response::cookie)
}

/// A text, as small as the browser takes it.
fn sent(guest: &Guest<'_>, content_type: &'static str, text: &str, cached: &'static str) -> Response {
    let response = if guest.request.takes_gzip() {
        Response::gzipped(content_type, &gzipped(text))
    } else {
        Response::text(content_type, text)
    };
    let response = response.header("cache-control", cached).header("vary", "accept-encoding");
    policy::guarded(response, &guest.brand)
}

#[cfg(test)]
mod tests;

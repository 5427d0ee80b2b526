//! The POST itself: no proxy, no redirects, and no address that was not checked.
//!
//! One POST is made, and made again only where it is proved that the receiver has not begun on the one before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::Error;
use postrider_domain::attempt::{Outcome, legible, redirect_target};
use postrider_domain::hidden::Hidden;
use postrider_domain::kept_headers;
use postrider_host::resolver::Resolver;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, Url};
use rustls::ClientConfig;

use crate::clients::{Clients, Lent, Opened, Way};
use crate::connecting::{Counting, attempt};
use crate::trust::Trust;
use crate::{failure, keep_alive, retry_after};

#[cfg(test)]
mod connections;
#[cfg(test)]
mod targets;

/// What of the time-out is kept back at the most, so that a customer hears whether it was the name, the connection or the
/// answer that did not come.
const KEPT_BACK: Duration = Duration::from_secs(1);
/// For how long receivers keep idle connections, if they keep them at all. Few keep them for less.
const COMMON_KEEP_ALIVE: Duration = Duration::from_secs(2);
/// How long an idle connection is used again. It is closed within twice that, when the pool looks next: sooner than they do.
const IDLE_LIMIT: Duration = Duration::from_millis(950);
/// How often a request is sent again that was turned away unread.
const AGAIN: u32 = 5;
/// What is read of an answer, and of where it redirects to, at the most: enough for an excerpt and to leave most connections reusable.
const ANSWER_BYTES: usize = 4096;
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// What an HTTP/2 receiver may send unasked, for one answer and for all on a connection. The answer's beginning fits in; a
/// body without end fills no memory.
const STREAM_WINDOW: u32 = 16 * 1024;
const CONNECTION_WINDOW: u32 = 64 * 1024;
/// An HTTP/2 answer's headers, unpacked. Of HTTP/1's, the client takes 100 lines in 400 KiB.
const HEADER_LIST: u32 = 16 * 1024;

/// What is to be sent.
pub struct Post {
    /// Where to; checked before it is used.
    pub url: String,
    /// All that it has, beside `host` and `content-length`.
    pub headers: Vec<(String, String)>,
    /// The very bytes that were signed.
    pub body: Vec<u8>,
    /// What nothing that is told of it may show, whatever the receiver answers.
    pub hidden: Hidden,
    /// From name look-up to the status line.
    pub timeout: Duration,
    /// Whether no attempt follows by itself: it goes over a connection of its own, which nobody can have closed meanwhile.
    pub is_last: bool,
}

/// What came of it.
pub struct Sent {
    /// For the ledger.
    pub outcome: Outcome,
    /// To the status line, or to the failure.
    pub duration: Duration,
    /// In words, for a failure without a status.
    pub error: Option<String>,
    /// The beginning of a failure's answer, as text that may be shown.
    pub answer: String,
    /// Where a redirect pointed.
    pub redirect_to: Option<String>,
    /// What is kept of a failure's headers, and may be shown.
    pub headers: BTreeMap<String, String>,
}

/// Sends.
pub struct Sender {
    clients: Clients,
    resolver: Resolver,
}

impl Sender {
    /// Sends to HTTPS only, and where this resolver lets it.
    pub fn new(resolver: Resolver) -> Self {
        Self::trusting(Trust::platform(), resolver)
    }

    fn trusting(trust: Trust, resolver: Resolver) -> Self {
        let of = resolver.clone();
        let build =
            move |opened: &Opened, way| Ok(client(&of, opened, trust.config()?, way).https_only(true).build()?);
        Self { clients: Clients::new(build), resolver }
    }

    /// Sends, and tells what came of it. Success is decided at the status line; the time-out counts from name look-up to
    /// there.
    ///
    /// # Errors
    /// When we could not send, such as where the platform has no roots: our fault, so the message comes again.
    pub async fn send(&self, post: &Post) -> Result<Sent, Error> {
        let lent = self.clients.lend();
        let started = Instant::now();
        // Literal addresses never reach the resolver, so they are checked here, at every attempt.
        let url = match self.resolver.parse("url", &post.url) {
            Ok(url) => url,
            Err(invalid) => return Ok(refused(Outcome::Blocked, started, invalid.expected)),
        };
        let sent = exchange(&lent, url.as_url(), post).await?;
        if sent.outcome == Outcome::TimedOut {
            self.clients.give_up(&lent);
        }
        // It may quote what a server said while there was no answer yet.
        Ok(Sent { error: sent.error.map(|error| post.hidden.out_of(&error, true)), ..sent })
    }
}

/// The client as every POST needs it, apart from the limit to HTTPS: what sending costs is measured over plain HTTP, too.
pub fn client(resolver: &Resolver, opened: &Opened, tls: ClientConfig, way: Way) -> ClientBuilder {
    let kept_back = KEPT_BACK.min(way.timeout / 4);
    let resolver = CheckedResolver { resolver: resolver.clone(), limit: way.timeout - kept_back };
    let client = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .tls_backend_preconfigured(tls)
        .connector_layer(Counting(opened.clone()))
        .connect_timeout(way.timeout - kept_back / 2)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .http2_max_header_list_size(HEADER_LIST)
        .pool_idle_timeout(IDLE_LIMIT)
        .pool_max_idle_per_host(if way.alone { 0 } else { usize::MAX })
        .dns_resolver(Arc::new(resolver));
    // Without it, a connection whose receiver reads no more outlives its attempt.
    #[cfg(target_os = "linux")]
    let client = client.tcp_user_timeout(way.timeout);
    client
}

/// A POST to a URL that was checked, and what came of it.
async fn exchange(lent: &Lent, url: &Url, post: &Post) -> Result<Sent, Error> {
    let started = Instant::now();
    Ok(match tokio::time::timeout(post.timeout, attempt(answer_of(lent, url, post))).await {
        Err(_) => refused(Outcome::TimedOut, started, format!("no answer within {} seconds", post.timeout.as_secs())),
        Ok(Err(Failed::Ours(error))) => return Err(error),
        Ok(Err(Failed::Sending(error))) => {
            let (outcome, why) = failure::classify(error)?;
            refused(outcome, started, why)
        }
        Ok(Ok(response)) => answered(response, url, &post.hidden, started).await,
    })
}

/// Why there is no answer.
enum Failed {
    /// There was nothing to send with.
    Ours(Error),
    Sending(reqwest::Error),
}

/// The answer to a request, which is made again while it is turned away unread: over a connection of its own, since whatever
/// turned it away may do so to all that share one.
async fn answer_of(lent: &Lent, url: &Url, post: &Post) -> Result<Response, Failed> {
    let receiver = url.authority();
    let mut alone = post.is_last || lent.is_hasty(receiver);
    let mut left = AGAIN;
    loop {
        let client = lent.client(Way { timeout: post.timeout, alone }).map_err(Failed::Ours)?;
        match request(&client, url.clone(), post).await {
            Err(error) if left > 0 && failure::was_not_begun(&error) => (left, alone) = (left - 1, true),
            Err(error) => return Err(Failed::Sending(error)),
            Ok(response) => {
                if keep_alive::timeout(response.headers()).is_some_and(|timeout| timeout < COMMON_KEEP_ALIVE) {
                    lent.note_hasty(receiver);
                }
                return Ok(response);
            }
        }
    }
}

async fn request(client: &Client, url: Url, post: &Post) -> Result<Response, reqwest::Error> {
    client.post(url).headers(header_map(&post.headers)).body(post.body.clone()).send().await
}

async fn answered(response: Response, url: &Url, hidden: &Hidden, started: Instant) -> Sent {
    let (duration, succeeded) = (started.elapsed(), response.status().is_success());
    let outcome = Outcome::Responded { status: response.status().as_u16(), retry_after: asked_wait(&response) };
    let redirect_to = redirect_of(url, &response, hidden);
    let headers = if succeeded { BTreeMap::new() } else { headers_of(&response, hidden) };
    // Also of a success it is read, so that the connection can be used again.
    let (answer, is_whole) = beginning(response).await;
    let answer = if succeeded { String::new() } else { hidden.out_of(&legible(&answer), is_whole) };
    Sent { outcome, duration, error: None, answer, redirect_to, headers }
}

/// One POST by this client, and what came of it: what it costs is measured where production never sends, too.
///
/// # Errors
/// When there is no answer.
pub async fn once(client: &Client, url: Url, post: &Post) -> Result<Sent, Error> {
    let started = Instant::now();
    let response = tokio::time::timeout(post.timeout, request(client, url.clone(), post)).await??;
    Ok(answered(response, &url, &post.hidden, started).await)
}

fn refused(outcome: Outcome, started: Instant, why: String) -> Sent {
    let (duration, headers) = (started.elapsed(), BTreeMap::new());
    Sent { outcome, duration, error: Some(why), answer: String::new(), redirect_to: None, headers }
}

fn headers_of(response: &Response, hidden: &Hidden) -> BTreeMap<String, String> {
    kept_headers::kept(response.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())), hidden)
}

/// Every header was checked when it was taken; one that HTTP cannot carry all the same is left out. All of them may be tokens, so
/// HTTP/2 is told to keep none in its tables.
fn header_map(headers: &[(String, String)]) -> HeaderMap {
    let pair = |(name, value): &(String, String)| {
        let mut value = HeaderValue::try_from(value.as_str()).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name.as_str()).ok()?, value))
    };
    headers.iter().filter_map(pair).collect()
}

fn asked_wait(response: &Response) -> Option<Duration> {
    retry_after::parse(response.headers().get(RETRY_AFTER)?.to_str().ok()?, SystemTime::now())
}

fn redirect_of(asked: &Url, response: &Response, hidden: &Hidden) -> Option<String> {
    let location = response.headers().get(LOCATION).filter(|_| response.status().is_redirection())?;
    let read = &location.as_bytes()[..location.len().min(ANSWER_BYTES)];
    redirect_target(asked, (&String::from_utf8_lossy(read), read.len() == location.len()), hidden)
}

/// What is read of an answer, and whether that is all of it.
async fn beginning(mut response: Response) -> (Vec<u8>, bool) {
    let mut answer = Vec::new();
    let read = async {
        while let Ok(chunk) = response.chunk().await {
            let Some(chunk) = chunk else { return true };
            let room = ANSWER_BYTES - answer.len();
            answer.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if answer.len() == ANSWER_BYTES {
                break;
            }
        }
        false
    };
    // What was read in time is kept.
    let is_whole = tokio::time::timeout(ANSWER_TIME, read).await.unwrap_or(false);
    (answer, is_whole)
}

/// Gives the client checked addresses only.
struct CheckedResolver {
    resolver: Resolver,
    limit: Duration,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, limit) = (self.resolver.clone(), self.limit);
        Box::pin(async move {
            // The port is the client's to set.
            let addresses = resolver.resolve(name.as_str(), 0, limit).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

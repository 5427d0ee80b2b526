//! The POST itself: no proxy, no redirects, no retries of its own, and no address that was not checked.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::Error;
use postrider_aws::resolve::Resolver;
use postrider_domain::attempt::{Outcome, redirect_target};
use postrider_domain::webhook_url::Target;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, Url};

use crate::clients::{Clients, Opened};
use crate::{failure, retry_after};

#[cfg(test)]
mod targets;

const USER_AGENT: &str = concat!("Postrider/", env!("CARGO_PKG_VERSION"));
/// How long a connection may take to come about, from name look-up to the end of TLS: less than any dialect's time-out, so
/// that a customer hears whether it was the connection or the answer that did not come.
const CONNECT_LIMIT: Duration = Duration::from_secs(4);
/// How long a receiver may leave what was sent to him unacknowledged.
#[cfg(target_os = "linux")]
const UNREAD_LIMIT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept. Short, since a frozen process cannot see that the other side has hung up.
const IDLE_LIMIT: Duration = Duration::from_secs(20);
/// What is read of an answer, at the most: enough for an excerpt and to leave most connections reusable.
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
    /// Beside those that every POST has.
    pub headers: Vec<(String, String)>,
    /// The very bytes that were signed.
    pub body: Vec<u8>,
    /// From name look-up to the status line.
    pub timeout: Duration,
}

/// What came of it.
pub struct Sent {
    /// For the ledger.
    pub outcome: Outcome,
    /// To the status line, or to the failure.
    pub duration: Duration,
    /// In words, for a failure without a status.
    pub error: Option<String>,
    /// The answer's first bytes.
    pub answer: Vec<u8>,
    /// Where a redirect pointed.
    pub redirect_to: Option<String>,
}

/// Sends.
pub struct Sender {
    clients: Clients,
    resolver: Resolver,
}

impl Sender {
    /// Sends to HTTPS only, and where this resolver lets it.
    pub fn new(resolver: Resolver) -> Self {
        let of = resolver.clone();
        Self { clients: Clients::new(move |opened| client(&of, opened).https_only(true).build()), resolver }
    }

    /// Sends, and tells what came of it. Success is decided at the status line; the time-out counts from name look-up to
    /// there.
    ///
    /// # Errors
    /// When we could not send, such as where the platform has no roots: our fault, so the message comes again.
    pub async fn send(&self, post: &Post) -> Result<Sent, Error> {
        let lent = self.clients.lend()?;
        let started = Instant::now();
        // Literal addresses never reach the resolver, so they are checked here, at every attempt.
        let url = match self.resolver.parse("url", &post.url) {
            Ok(url) => url,
            Err(invalid) => return Ok(refused(Outcome::Blocked, started, invalid.expected)),
        };
        if matches!(url.target(), Target::Address(_)) {
            lent.opened.count();
        }
        let sent = exchange(&lent.client, url.as_url().clone(), post).await?;
        if sent.outcome == Outcome::TimedOut {
            self.clients.give_up(&lent);
        }
        Ok(sent)
    }
}

/// The client as every POST needs it, apart from the limit to HTTPS: what sending costs is measured over plain HTTP, too.
pub fn client(resolver: &Resolver, opened: &Opened) -> ClientBuilder {
    // A second call finds the provider installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let resolver = Arc::new(CheckedResolver { resolver: resolver.clone(), opened: opened.clone() });
    let client = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(CONNECT_LIMIT)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .http2_max_header_list_size(HEADER_LIST)
        .pool_idle_timeout(IDLE_LIMIT)
        .dns_resolver(resolver)
        .user_agent(USER_AGENT);
    // Without it, a connection whose receiver reads no more outlives its attempt by half a minute.
    #[cfg(target_os = "linux")]
    let client = client.tcp_user_timeout(UNREAD_LIMIT);
    client
}

/// One POST to a URL that was checked, and what came of it.
///
/// # Errors
/// When it failed on our side, for want of descriptors or memory.
pub async fn exchange(client: &Client, url: Url, post: &Post) -> Result<Sent, Error> {
    let started = Instant::now();
    let request = client
        .post(url.clone())
        .header(CONTENT_TYPE, "application/json")
        .headers(header_map(&post.headers))
        .body(post.body.clone())
        .send();
    Ok(match tokio::time::timeout(post.timeout, request).await {
        Err(_) => refused(Outcome::TimedOut, started, format!("no answer within {} seconds", post.timeout.as_secs())),
        Ok(Err(error)) => {
            let (outcome, why) = failure::classify(error)?;
            refused(outcome, started, why)
        }
        Ok(Ok(response)) => {
            let duration = started.elapsed();
            let outcome = Outcome::Responded { status: response.status().as_u16(), retry_after: asked_wait(&response) };
            let redirect_to = redirect_of(&url, &response);
            Sent { outcome, duration, error: None, answer: beginning(response).await, redirect_to }
        }
    })
}

fn refused(outcome: Outcome, started: Instant, why: String) -> Sent {
    Sent { outcome, duration: started.elapsed(), error: Some(why), answer: Vec::new(), redirect_to: None }
}

/// Every header was checked when it was taken; one that HTTP cannot carry all the same is left out.
fn header_map(headers: &[(String, String)]) -> HeaderMap {
    let pair = |(name, value): &(String, String)| {
        Some((HeaderName::try_from(name.as_str()).ok()?, HeaderValue::try_from(value.as_str()).ok()?))
    };
    headers.iter().filter_map(pair).collect()
}

fn asked_wait(response: &Response) -> Option<Duration> {
    retry_after::parse(response.headers().get(RETRY_AFTER)?.to_str().ok()?, SystemTime::now())
}

fn redirect_of(asked: &Url, response: &Response) -> Option<String> {
    let location = response.headers().get(LOCATION).filter(|_| response.status().is_redirection())?;
    redirect_target(asked, location.to_str().ok()?)
}

async fn beginning(mut response: Response) -> Vec<u8> {
    let mut answer = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = ANSWER_BYTES - answer.len();
            answer.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if answer.len() == ANSWER_BYTES {
                break;
            }
        }
    };
    // What was read in time is kept.
    let _ = tokio::time::timeout(ANSWER_TIME, read).await;
    answer
}

/// Gives the client checked addresses only.
struct CheckedResolver {
    resolver: Resolver,
    /// A name is looked up for each connection and for nothing else.
    opened: Opened,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        self.opened.count();
        let resolver = self.resolver.clone();
        Box::pin(async move {
            // The port is the client's to set.
            let addresses = resolver.resolve(name.as_str(), 0).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

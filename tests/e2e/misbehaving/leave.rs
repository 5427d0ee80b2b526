//! HTTP/2 receivers that turn requests away before they read them: each is sent again at once, and comes in once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use rustls::ServerConfig;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::frames::{
    END_STREAM, ENHANCE_YOUR_CALM, Frames, MAX_CONCURRENT_STREAMS, NO_ERROR, REFUSED_STREAM, goaway, head_on, hello,
    reset, setting,
};
use super::raw::server_config;
use crate::support::stack::Stack;
use crate::support::{Receiver, SOON, Tenant, World};

const EVENTS: usize = 40;

/// What a door does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    /// 200.
    Answer,
    /// 200, and leave is taken of all that came or comes after it.
    AnswerAndLeave,
    /// REFUSED_STREAM.
    Refuse,
    /// Leave is taken of this one, too.
    Leave(u8),
}

/// Decides by the number of the request on its connection and by that of all requests, both from 0.
type Rule = fn(usize, usize) -> Reply;

#[derive(Debug, Default)]
struct Tally {
    came: AtomicUsize,
    answered: AtomicUsize,
}

/// A receiver that answers any number of streams side by side.
#[derive(Debug)]
struct Door {
    address: SocketAddr,
    tally: Arc<Tally>,
    listening: JoinHandle<()>,
}

impl Door {
    async fn open(stack: &Stack, greeting: Vec<u8>, rule: Rule) -> Self {
        let tls = &stack.receiver_tls;
        let config = server_config(&tls.cert, &tls.key, &[b"h2"]);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port should be free");
        let address = listener.local_addr().expect("a bound listener has an address");
        let tally = Arc::new(Tally::default());
        let counted = Arc::clone(&tally);
        let listening = tokio::spawn(async move {
            // Connections live as long as their door.
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(serve(socket, Arc::clone(&config), greeting.clone(), rule, Arc::clone(&counted)));
            }
        });
        Self { address, tally, listening }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/hook", self.address.port())
    }

    fn came(&self) -> usize {
        self.tally.came.load(Ordering::SeqCst)
    }

    fn answered(&self) -> usize {
        self.tally.answered.load(Ordering::SeqCst)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(
    socket: TcpStream,
    config: Arc<ServerConfig>,
    greeting: Vec<u8>,
    rule: Rule,
    tally: Arc<Tally>,
) -> Option<()> {
    let mut wire = TlsAcceptor::from(config).accept(socket).await.ok()?;
    wire.write_all(&greeting).await.ok()?;
    let (mut frames, mut number, mut last) = (Frames::default(), 0, None);
    while let Some(frame) = frames.next(&mut wire).await {
        // What comes above the last stream is nobody's.
        if !frame.is_end() || last.is_some_and(|last| frame.stream > last) {
            continue;
        }
        let reply = rule(number, tally.came.fetch_add(1, Ordering::SeqCst));
        number += 1;
        let ok = head_on(frame.stream, "200", END_STREAM);
        let bytes = match reply {
            Reply::Answer => ok,
            Reply::AnswerAndLeave => {
                last = Some(frame.stream);
                [goaway(frame.stream, NO_ERROR), ok].concat()
            }
            Reply::Refuse => reset(frame.stream, REFUSED_STREAM),
            Reply::Leave(code) => {
                last = Some(frame.stream - 1);
                goaway(frame.stream - 1, code)
            }
        };
        if matches!(reply, Reply::Answer | Reply::AnswerAndLeave) {
            tally.answered.fetch_add(1, Ordering::SeqCst);
        }
        wire.write_all(&bytes).await.ok()?;
        wire.flush().await.ok()?;
    }
    Some(())
}

/// Forty events at once, each at its first attempt, and batch mates unharmed. There is a retry to come, so connections
/// are kept and shared.
async fn takes_all_at_the_first_attempt(greeting: Vec<u8>, rule: Rule) {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let (door, mate) = (Door::open(world.stack, greeting, rule).await, Receiver::start(world.stack).await);
    let webhooks = [webhook(&tenant, &door.url()).await, webhook(&tenant, &mate.url("/")).await];
    let data = json!({});
    let events = join_all((0..EVENTS).map(|_| tenant.publish("trial.held", &data))).await;
    for event in &events {
        for webhook in &webhooks {
            let id = tenant.delivery_of(event, webhook).await;
            tenant.settled_within(&id, "succeeded", 1, SOON * 2).await;
        }
    }
    assert_eq!((door.answered(), mate.requests().len()), (EVENTS, EVENTS));
}

async fn webhook(tenant: &Tenant, url: &str) -> String {
    tenant.create(&json!({"url": url, "events": ["*"], "retry_schedule": [3600]})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_takes_leave_after_every_three_requests_takes_all() {
    let rule = |number, _| if number == 2 { Reply::AnswerAndLeave } else { Reply::Answer };
    takes_all_at_the_first_attempt(hello(), rule).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_of_two_streams_that_takes_leave_after_every_three_requests_takes_all() {
    let rule = |number, _| if number == 2 { Reply::AnswerAndLeave } else { Reply::Answer };
    takes_all_at_the_first_attempt(setting(MAX_CONCURRENT_STREAMS, 2), rule).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_refuses_every_second_stream_takes_all() {
    let rule = |number, _| if number % 2 == 1 { Reply::Refuse } else { Reply::Answer };
    takes_all_at_the_first_attempt(hello(), rule).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_attempt_that_is_turned_away_unread_arrives() {
    let world = World::open();
    let customer = world.nouvel().await;
    let rules: [Rule; 4] = [
        |_, all| if all == 0 { Reply::Refuse } else { Reply::Answer },
        |_, all| if all == 0 { Reply::Leave(NO_ERROR) } else { Reply::Answer },
        |_, all| if all < 5 { Reply::Refuse } else { Reply::Answer },
        |_, all| if all < 5 { Reply::Leave(ENHANCE_YOUR_CALM) } else { Reply::Answer },
    ];
    for (rule, came) in rules.into_iter().zip([2, 2, 6, 6]) {
        let door = Door::open(world.stack, hello(), rule).await;
        let job = customer.generate(1, 1, &door.url()).await;
        customer.report_project(&job.id, &job.projects[0], "failed").await.ok(200);
        customer.settled(&job.id, "succeeded", 1).await;
        assert_eq!((door.came(), door.answered()), (came, 1));
    }
}

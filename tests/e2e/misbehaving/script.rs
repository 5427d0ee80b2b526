//! What a receiver does on one connection, step by step, to the byte.

use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;

/// How far the sender has come on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    /// It has connected.
    Connected,
    /// Its first bytes have come.
    Speaking,
    /// A request's head has come.
    Head,
    /// A whole request has come.
    Request,
    /// It has hung up.
    Gone,
}

/// One step.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Waits until the sender has come so far.
    Until(Progress),
    /// Waits until another request begins.
    Another,
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes one by one, this far apart.
    Drip(Vec<u8>, Duration),
    /// Sends these bytes again and again, until the sender hangs up.
    Forever(Vec<u8>),
    /// Says nothing until the sender hangs up.
    Hold,
    /// Says nothing for a while.
    Pause(Duration),
    /// Breaks the connection off with a TCP reset.
    Reset,
}

/// How a script ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It is played; the connection is to be closed in good order.
    Played,
    /// The connection is to be reset.
    Reset,
}

/// The usual beginning: the whole request is read, then these bytes are the answer.
pub(super) fn answer(bytes: impl Into<Vec<u8>>) -> Vec<Step> {
    vec![Step::Until(Progress::Request), Step::Send(bytes.into())]
}

/// Plays a script. A sender that hangs up meanwhile ends it.
pub(super) async fn play(
    wire: &mut (impl AsyncWrite + Unpin),
    steps: &[Step],
    mut progress: watch::Receiver<Progress>,
) -> End {
    let mut gone = progress.clone();
    let steps = async {
        for step in steps {
            match step {
                // An error means that the connection is no more, as a broken write does below.
                Step::Until(wanted) => drop(progress.wait_for(|now| now >= wanted).await),
                Step::Another => {
                    progress.borrow_and_update();
                    let _ = progress.changed().await;
                }
                Step::Send(bytes) => send(wire, bytes).await,
                Step::Drip(bytes, pause) => {
                    for byte in bytes {
                        send(wire, &[*byte]).await;
                        tokio::time::sleep(*pause).await;
                    }
                }
                Step::Forever(bytes) => while wire.write_all(bytes).await.is_ok() {},
                Step::Hold => drop(progress.wait_for(|now| *now == Progress::Gone).await),
                Step::Pause(pause) => tokio::time::sleep(*pause).await,
                Step::Reset => return End::Reset,
            }
        }
        End::Played
    };
    tokio::select! {
        end = steps => end,
        _ = gone.wait_for(|now| *now == Progress::Gone) => End::Played,
    }
}

async fn send(wire: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    // The sender may be gone already: that is what being hung up on looks like.
    let _ = wire.write_all(bytes).await.and(wire.flush().await);
}

//! Connections that are being made: counted, and given up with the attempt that they were begun for.
//!
//! A pool goes on with them when another connection has served the attempt first. A receiver that never ends a handshake would
//! so collect a descriptor for each attempt, for as long as an attempt may take.

use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tokio::sync::watch;
use tower::{BoxError, Layer, Service};

use crate::clients::Opened;

tokio::task_local! {
    /// Ends with the attempt.
    static ATTEMPT: watch::Receiver<()>;
}

/// An attempt; whatever it began to connect ends with it.
pub(crate) async fn attempt<T>(work: impl Future<Output = T>) -> T {
    let (_while_it_lasts, watched) = watch::channel(());
    ATTEMPT.scope(watched, work).await
}

/// Stands before a client's connector.
#[derive(Clone)]
pub(crate) struct Counting(pub(crate) Opened);

/// The connector with that before it.
#[derive(Clone)]
pub(crate) struct Counted<S> {
    inner: S,
    opened: Opened,
}

impl<S> Layer<S> for Counting {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner, opened: self.0.clone() }
    }
}

impl<S, R> Service<R> for Counted<S>
where
    S: Service<R, Error = BoxError>,
    S::Response: Send,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, to: R) -> Self::Future {
        self.opened.count();
        let connecting = self.inner.call(to);
        let attempt = ATTEMPT.try_with(watch::Receiver::clone);
        Box::pin(async move {
            let Ok(mut attempt) = attempt else { return connecting.await };
            tokio::select! {
                connected = connecting => connected,
                _ = attempt.changed() => Err("the attempt that it was for has ended".into()),
            }
        })
    }
}

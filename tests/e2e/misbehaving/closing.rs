//! A receiver that closes connections when they have been idle for a while, as all do sooner or later.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::raw::server_config;
use crate::support::request::Received;
use crate::support::stack::Stack;

/// Such a receiver.
#[derive(Debug)]
pub(crate) struct Closing {
    port: u16,
    open: watch::Sender<usize>,
    listening: JoinHandle<()>,
}

impl Closing {
    /// One that closes what has been idle for so long.
    pub(crate) async fn after(stack: &Stack, idle: Duration) -> Self {
        let tls = &stack.receiver_tls;
        let config = server_config(&tls.cert, &tls.key, &[b"http/1.1"]);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port should be free");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let open = watch::Sender::new(0);
        let counted = open.clone();
        let listening = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let (config, counted) = (Arc::clone(&config), counted.clone());
                counted.send_modify(|open| *open += 1);
                connections.spawn(async move {
                    serve(socket, config, idle).await;
                    counted.send_modify(|open| *open -= 1);
                });
            }
        });
        Self { port, open, listening }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}/", self.port)
    }

    /// Once it has closed every connection.
    pub(crate) async fn all_closed(&self) {
        let mut open = self.open.subscribe();
        open.wait_for(|open| *open == 0).await.expect("the sender is here");
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(socket: TcpStream, config: Arc<ServerConfig>, idle: Duration) -> Option<()> {
    let mut wire = TlsAcceptor::from(config).accept(socket).await.ok()?;
    let mut rest = Vec::new();
    loop {
        timeout(idle, wire.read_buf(&mut rest)).await.ok()?.ok().filter(|length| *length > 0)?;
        Received::read(&mut wire, &mut rest).await?;
        wire.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.ok()?;
        wire.flush().await.ok()?;
    }
}

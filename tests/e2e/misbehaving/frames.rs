//! HTTP/2 by hand: frames as bytes, right ones and wrong ones.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::watch;

use super::script::Progress;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const NO_FLAGS: u8 = 0;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

const PREFACE: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
const FRAME_HEAD: usize = 9;

/// One frame.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame is small").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// What a server says first: no settings of its own.
pub(super) fn hello() -> Vec<u8> {
    frame(SETTINGS, NO_FLAGS, 0, &[])
}

/// A setting of the server's own.
pub(super) fn setting(id: u16, value: u32) -> Vec<u8> {
    frame(SETTINGS, NO_FLAGS, 0, &[&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
}

/// The head of an answer on the first stream.
pub(super) fn head(status: &str, flags: u8) -> Vec<u8> {
    frame(HEADERS, flags | END_HEADERS, 1, &status_field(status))
}

/// `:status` as HPACK writes it, without an entry in its table.
pub(super) fn status_field(status: &str) -> Vec<u8> {
    field(8, status)
}

/// A header whose name stands at this place of HPACK's table, below 15.
pub(super) fn field(name: u8, value: &str) -> Vec<u8> {
    let length = u8::try_from(value.len()).ok().filter(|length| *length < 127).expect("a short value");
    [&[name, length], value.as_bytes()].concat()
}

/// A header with a name of its own.
pub(super) fn named_field(name: &str, value: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).ok().filter(|length| *length < 127).expect("a short name");
    [&[0, length], name.as_bytes(), &field(0, value)[1..]].concat()
}

/// Reads frames until the sender hangs up, and counts the requests that they begin.
pub(super) async fn count(
    wire: &mut (impl AsyncRead + Unpin),
    progress: &watch::Sender<Progress>,
    posts: &AtomicUsize,
) {
    let mut rest = Vec::new();
    let mut behind_preface = false;
    while wire.read_buf(&mut rest).await.is_ok_and(|length| length > 0) {
        if !behind_preface && rest.len() >= PREFACE {
            rest.drain(..PREFACE);
            behind_preface = true;
        }
        while let Some(length) = complete_frame(&rest).filter(|_| behind_preface) {
            let (kind, flags) = (rest[3], rest[4]);
            rest.drain(..length);
            if kind == HEADERS {
                posts.fetch_add(1, Ordering::SeqCst);
                progress.send_replace(Progress::Head);
            }
            if matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0 {
                progress.send_replace(Progress::Request);
            }
        }
    }
}

fn complete_frame(bytes: &[u8]) -> Option<usize> {
    let head = bytes.get(..FRAME_HEAD)?;
    let length = FRAME_HEAD + usize::from(head[0]) * 65_536 + usize::from(head[1]) * 256 + usize::from(head[2]);
    (bytes.len() >= length).then_some(length)
}

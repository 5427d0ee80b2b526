//! HTTP/2 by hand: frames as bytes, right ones and wrong ones.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::watch;

use super::script::Progress;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const NO_ERROR: u8 = 0;
pub(super) const INTERNAL_ERROR: u8 = 2;
pub(super) const REFUSED_STREAM: u8 = 7;
pub(super) const CANCEL: u8 = 8;
pub(super) const ENHANCE_YOUR_CALM: u8 = 11;

pub(super) const INITIAL_WINDOW_SIZE: u16 = 4;
pub(super) const MAX_CONCURRENT_STREAMS: u16 = 3;

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
    head_on(1, status, flags)
}

/// The head of an answer.
pub(super) fn head_on(stream: u32, status: &str, flags: u8) -> Vec<u8> {
    frame(HEADERS, flags | END_HEADERS, stream, &status_field(status))
}

/// Leave, taken of all streams above this one.
pub(super) fn goaway(last_stream: u32, code: u8) -> Vec<u8> {
    frame(GOAWAY, NO_FLAGS, 0, &[&last_stream.to_be_bytes()[..], &[0, 0, 0, code]].concat())
}

/// The end of a stream without an answer.
pub(super) fn reset(stream: u32, code: u8) -> Vec<u8> {
    frame(RST_STREAM, NO_FLAGS, stream, &[0, 0, 0, code])
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

/// What is to be known of a frame that came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl Frame {
    /// Whether it begins a request.
    pub(super) fn is_head(self) -> bool {
        self.kind == HEADERS
    }

    /// Whether it ends one.
    pub(super) fn is_end(self) -> bool {
        matches!(self.kind, HEADERS | DATA) && self.flags & END_STREAM != 0
    }
}

/// Reads what a sender says.
#[derive(Debug, Default)]
pub(super) struct Frames {
    rest: Vec<u8>,
    behind_preface: bool,
}

impl Frames {
    /// The next frame, until the sender hangs up.
    pub(super) async fn next(&mut self, wire: &mut (impl AsyncRead + Unpin)) -> Option<Frame> {
        loop {
            if !self.behind_preface && self.rest.len() >= PREFACE {
                self.rest.drain(..PREFACE);
                self.behind_preface = true;
            }
            if let Some(length) = complete_frame(&self.rest).filter(|_| self.behind_preface) {
                let (kind, flags) = (self.rest[3], self.rest[4]);
                let stream = self.rest[5..FRAME_HEAD].iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
                self.rest.drain(..length);
                return Some(Frame { kind, flags, stream });
            }
            wire.read_buf(&mut self.rest).await.ok().filter(|length| *length > 0)?;
        }
    }
}

/// Reads frames until the sender hangs up, and counts the requests that they begin.
pub(super) async fn count(
    wire: &mut (impl AsyncRead + Unpin),
    progress: &watch::Sender<Progress>,
    posts: &AtomicUsize,
) {
    let mut frames = Frames::default();
    while let Some(frame) = frames.next(wire).await {
        if frame.is_head() {
            posts.fetch_add(1, Ordering::SeqCst);
            progress.send_replace(Progress::Head);
        }
        if frame.is_end() {
            progress.send_replace(Progress::Request);
        }
    }
}

fn complete_frame(bytes: &[u8]) -> Option<usize> {
    let head = bytes.get(..FRAME_HEAD)?;
    let length = FRAME_HEAD + usize::from(head[0]) * 65_536 + usize::from(head[1]) * 256 + usize::from(head[2]);
    (bytes.len() >= length).then_some(length)
}

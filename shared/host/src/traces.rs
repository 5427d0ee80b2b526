//! Traces in AWS X-Ray, where an operator asks for them: each span is a datagram to the daemon that Lambda runs beside a function, so
//! that it costs no call. Where nobody asks, nothing is made, carried or sent.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use postrider_domain::event::Event;
use postrider_domain::segment::{PostSpan, Segment};
use postrider_domain::traceparent::{Invoked, Traceparent};

use crate::env::{self, BadSetting};
use crate::{clock, entropy};

/// Traces that a process begins to record in a second: a publisher may ask for each of his to be.
const BEGUN_A_SECOND: u32 = 5;
/// Spans that a process sends in a second: one event may be for thousands.
const SENT_A_SECOND: u32 = 100;
/// What stands before each document.
const HEADER: &str = r#"{"format": "json", "version": 1}"#;

/// Who traces, if anybody does.
#[derive(Debug, Default)]
pub struct Traces(Option<Recorder>);

/// A span that has begun.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Its place: what follows from it names it.
    pub at: Traceparent,
    parent: Option<u64>,
    begun: Timestamp,
}

/// What is told of a span at its end.
#[derive(Debug, Default)]
pub struct Told<'a> {
    /// What finds it.
    pub about: &'a [(&'static str, &'a str)],
    /// Whether we failed.
    pub failed: bool,
    /// The POST that was made in it.
    pub post: Option<PostSpan<'a>>,
}

#[derive(Debug)]
struct Recorder {
    function: String,
    /// Where the daemon is, and a socket to it; none where nobody says: then traces are carried and not recorded.
    daemon: Option<(UdpSocket, SocketAddr)>,
    begun: Mutex<Allowance>,
    sent: Mutex<Allowance>,
}

impl Traces {
    /// `TRACING`: `xray`, or `off` as where it is missing or empty. `AWS_XRAY_DAEMON_ADDRESS` is Lambda's own.
    ///
    /// # Errors
    /// [`BadSetting`] for anything else, or where there is an address that is none.
    pub fn from_env() -> Result<Self, BadSetting> {
        if !is_on(&env::var("TRACING").unwrap_or_default())? {
            return Ok(Self::default());
        }
        let address = env::var("AWS_XRAY_DAEMON_ADDRESS").ok();
        let address = address.map(|address| address.parse().map_err(|_| no_address())).transpose()?;
        Ok(Self::to(&std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default(), address))
    }

    /// In this function's name, to a daemon at this address.
    pub fn to(function: &str, daemon: Option<SocketAddr>) -> Self {
        let daemon = daemon.and_then(|address| Some((socket().ok()?, address)));
        let (begun, sent) = (Mutex::default(), Mutex::default());
        Self(Some(Recorder { function: function.to_owned(), daemon, begun, sent }))
    }

    /// Begins the first span of an event's: in its publisher's trace if he names one, or else in that of the invocation that brought it.
    /// Whether the trace is recorded is decided here, by who names it, and at most so often in a second.
    pub fn first(&self, given: Option<Traceparent>) -> Option<Span> {
        let recorder = self.0.as_ref()?;
        let invoked = Invoked::read(&std::env::var("_X_AMZN_TRACE_ID").unwrap_or_default());
        let from = given.map(|given| (given.trace(), given.span)).or(invoked.from);
        let is_wanted = given.map_or(invoked.sampled.unwrap_or(true), |given| given.sampled);
        let sampled = is_wanted && is_allowed(&recorder.begun, BEGUN_A_SECOND);
        let (now, span) = (clock::now(), entropy::bits64());
        let at = match from {
            Some((trace, _)) => Traceparent::within(trace, span, sampled),
            None => Traceparent::first(now, entropy::bits128(), span, sampled),
        };
        Some(Span { at, parent: from.map(|(_, span)| span), begun: now })
    }

    /// Begins a span that follows from another one, or from nothing that is known: then it is the first of a trace of its own, since an
    /// invocation may bring the events of many.
    pub fn after(&self, before: Option<Traceparent>) -> Option<Span> {
        let recorder = self.0.as_ref()?;
        let (now, span) = (clock::now(), entropy::bits64());
        let at = before.map_or_else(
            || {
                let invoked = Invoked::read(&std::env::var("_X_AMZN_TRACE_ID").unwrap_or_default());
                let sampled = invoked.sampled.unwrap_or(true) && is_allowed(&recorder.begun, BEGUN_A_SECOND);
                Traceparent::first(now, entropy::bits128(), span, sampled)
            },
            |before| before.with_span(span),
        );
        Some(Span { at, parent: before.map(|before| before.span), begun: now })
    }

    /// Begins a span that follows from an event's publication, as its row names it. What a producer wrote into a row of his own nobody has
    /// decided upon: it is decided here, or he could have all of his recorded.
    pub fn published(&self, event: &Event) -> Option<Span> {
        match event.traceparent {
            Some(given) if event.is_its_producers_own() => self.first(Some(given)),
            named => self.after(named),
        }
    }

    /// Ends a span, and sends it where its trace is recorded. What is lost is a part of a picture, and not worth failing for.
    pub fn end(&self, span: &Span, told: Told<'_>) {
        let Some(recorder) = self.0.as_ref().filter(|_| span.at.sampled) else { return };
        let Some((socket, address)) = &recorder.daemon else { return };
        if !is_allowed(&recorder.sent, SENT_A_SECOND) {
            return;
        }
        let Span { at, parent, begun } = *span;
        let Told { about, failed, post } = told;
        let name = recorder.function.as_str();
        let segment = Segment { name, at, parent, begun, ended: clock::now(), about, failed, post };
        let _ = socket.send_to(format!("{HEADER}\n{}", segment.document()).as_bytes(), address);
    }
}

impl Span {
    /// The id of another span within it.
    pub fn within(&self) -> Traceparent {
        self.at.with_span(entropy::bits64())
    }
}

/// It never waits: what the machine has no room for is dropped.
fn socket() -> std::io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn is_on(setting: &str) -> Result<bool, BadSetting> {
    match setting {
        "xray" => Ok(true),
        "off" | "" => Ok(false),
        _ => Err(BadSetting::new("TRACING", "`off` or `xray`")),
    }
}

fn no_address() -> BadSetting {
    BadSetting::new("AWS_XRAY_DAEMON_ADDRESS", "an address with a port, such as 169.254.79.129:2000")
}

/// What was used up of the present second, by the wall clock.
#[derive(Debug, Default)]
struct Allowance {
    second: i64,
    used: u32,
}

impl Allowance {
    fn take(&mut self, second: i64, most: u32) -> bool {
        if second != self.second {
            *self = Self { second, used: 0 };
        }
        let has_room = self.used < most;
        self.used += u32::from(has_room);
        has_room
    }
}

fn is_allowed(allowance: &Mutex<Allowance>, most: u32) -> bool {
    let mut allowance = allowance.lock().unwrap_or_else(PoisonError::into_inner);
    allowance.take(clock::now().as_second(), most)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn daemon() -> (UdpSocket, Traces) {
        let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        daemon.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let traces = Traces::to("pr-events", Some(daemon.local_addr().unwrap()));
        (daemon, traces)
    }

    fn received(daemon: &UdpSocket) -> serde_json::Value {
        let mut datagram = [0; 65_536];
        let length = daemon.recv(&mut datagram).unwrap();
        let text = String::from_utf8(datagram[..length].to_vec()).unwrap();
        let (header, document) = text.split_once('\n').unwrap();
        assert_eq!(header, HEADER);
        serde_json::from_str(document).unwrap()
    }

    #[test]
    fn nothing_is_begun_where_nobody_asks_for_traces() {
        let off = Traces::default();
        assert!(off.first(GIVEN.parse().ok()).is_none() && off.after(GIVEN.parse().ok()).is_none());
        assert_eq!((is_on("xray").unwrap(), is_on("off").unwrap(), is_on("").unwrap()), (true, false, false));
        assert!(is_on("X-Ray").unwrap_err().to_string().contains("TRACING"));
    }

    #[test]
    fn spans_are_sent_to_the_daemon_each_with_the_one_before() {
        let (daemon, traces) = daemon();
        let first = traces.first(GIVEN.parse().ok()).unwrap();
        let second = traces.after(Some(first.at)).unwrap();
        traces.end(&first, Told { about: &[("event_id", "evt_1")], ..Told::default() });
        traces.end(&second, Told { failed: true, ..Told::default() });
        let (one, two) = (received(&daemon), received(&daemon));
        assert_eq!((&one["parent_id"], &one["name"]), (&"00f067aa0ba902b7".into(), &"pr-events".into()));
        assert_eq!((&two["parent_id"], &two["trace_id"]), (&one["id"], &one["trace_id"]));
        assert_eq!(one["trace_id"], "1-4bf92f35-77b34da6a3ce929d0e0e4736");
        assert_eq!((one["annotations"]["event_id"].as_str(), two["fault"].as_bool()), (Some("evt_1"), Some(true)));
    }

    #[test]
    fn what_is_not_to_be_recorded_is_carried_and_not_sent() {
        let (daemon, traces) = daemon();
        let unwanted = GIVEN.replace("-01", "-00");
        let first = traces.first(unwanted.parse().ok()).unwrap();
        let second = traces.after(Some(first.at)).unwrap();
        assert!(!first.at.sampled && !second.at.sampled);
        traces.end(&first, Told::default());
        traces.end(&traces.first(GIVEN.parse().ok()).unwrap(), Told::default());
        assert_eq!(
            received(&daemon)["parent_id"],
            "00f067aa0ba902b7",
            "the first thing that comes is the other trace's"
        );
        let nowhere = Traces::to("pr-events", None);
        nowhere.end(&nowhere.first(None).unwrap(), Told::default());
    }

    /// An event whose row names a span, as it is after our API took it in or as its producer put it.
    fn event(traceparent: &str, counted: bool) -> Event {
        let row = serde_json::json!({
            "tenant_id": "ten_0123456789abcdef", "id": "evt_1", "event": "a.b", "data": "{}", "expires_at": 0,
            "timestamp": "2026-01-15T14:30:00.000Z", "counted": counted, "traceparent": traceparent,
        });
        serde_json::from_value(row).unwrap()
    }

    /// How many of so many spans that follow from this event's publication are recorded, and what a clock's second let through at most.
    fn recorded(event: &Event, many: usize) -> (usize, usize) {
        let traces = Traces::to("pr-fanout", None);
        let begun = clock::now().as_second();
        let spans = (0..many).filter(|_| traces.published(event).unwrap().at.sampled).count();
        let seconds = usize::try_from(clock::now().as_second() - begun + 1).unwrap();
        (spans, seconds * usize::try_from(BEGUN_A_SECOND).unwrap())
    }

    #[test]
    fn what_a_producer_wrote_into_a_row_of_his_own_is_recorded_no_more_often_than_what_comes_by_the_api() {
        let many = 10_000;
        let (spans, most) = recorded(&event(GIVEN, false), many);
        assert!((1..=most).contains(&spans), "{spans} of at most {most}");
        assert_eq!(recorded(&event(&GIVEN.replace("-01", "-00"), false), many).0, 0, "nobody asked for it");
        assert_eq!(recorded(&event(GIVEN, true), many).0, many, "it was decided where it came in");
        let traces = Traces::to("pr-fanout", None);
        let span = traces.published(&event(GIVEN, false)).unwrap();
        assert_eq!(
            (span.at.xray_id().as_str(), span.parent),
            ("1-4bf92f35-77b34da6a3ce929d0e0e4736", Some(0x00f0_67aa_0ba9_02b7))
        );
    }

    #[test]
    fn a_process_begins_and_sends_so_much_a_second() {
        let mut allowance = Allowance::default();
        let taken = |allowance: &mut Allowance, second| (0..9).filter(|_| allowance.take(second, 5)).count();
        assert_eq!([taken(&mut allowance, 7), taken(&mut allowance, 7), taken(&mut allowance, 8)], [5, 0, 5]);
        // A clock that was put back makes nobody wait.
        assert_eq!(taken(&mut allowance, 3), 5);
    }
}

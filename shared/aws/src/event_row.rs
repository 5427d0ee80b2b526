//! Rows of the events table, which producers put there too: checked as an event is that comes by HTTP, since nobody
//! waits for an answer who could mend it. What is amiss is told by its attribute.
//!
//! Its times are judged once, by fan-out, against the stream's record of when it was written: later nobody knows that. So what
//! is refused for them is noted in the row.

use jiff::{SignedDuration, Timestamp};
use postrider_domain::event::{Event, EventType, MAX_DATA_BYTES, check_data, check_tags};
use postrider_domain::id::{EventId, TenantId};
use postrider_domain::invalid::Invalid;
use postrider_domain::{dialect, json, time};
use serde_dynamo::{AttributeValue, Item};

/// A row of the events table, as it stands there.
pub type Row = Item;

/// How far a producer's clock may be from the table's: far enough for one that retries a transaction for hours.
pub const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(24);
/// In seconds since 1970 that is beyond the year 5000: somebody wrote milliseconds.
const TOO_MANY_SECONDS: i64 = 100_000_000_000;

/// By how much `expires_at` may fall short: two looks at a clock, and a second that was rounded.
const ROUNDED: i64 = 60;
/// Where a row keeps why its times were refused.
pub(crate) const REFUSED: &str = "refused";

/// Where a row keeps when its event was expunged.
pub(crate) const EXPUNGED: &str = "expunged_at";

/// Why a row's times were refused, if they were.
pub fn refusal(row: &Item) -> Option<&str> {
    match row.get(REFUSED) {
        Some(AttributeValue::S(why)) => Some(why),
        _ => None,
    }
}

/// When what the event of a row said was removed on request, if it was.
pub fn expunged_at(row: &Item) -> Option<Timestamp> {
    match row.get(EXPUNGED) {
        Some(AttributeValue::S(at)) => time::parse(EXPUNGED, at).ok(),
        _ => None,
    }
}

/// What is left of an event that was expunged: all but what it said. Nothing where the row is no such event's.
pub fn expunged(row: &Item) -> Option<Event> {
    expunged_at(row)?;
    let event: Event = serde_dynamo::from_item(row.clone()).ok()?;
    event.is_expunged().then_some(event)
}

/// The event in a row, as far as the row itself tells. One that was expunged is none: [`expunged`] reads it.
///
/// # Errors
/// [`Invalid`] for the attribute that is not as it should be.
pub fn read(row: Item) -> Result<Event, Invalid> {
    if row.contains_key(EXPUNGED) {
        return Err(Invalid::new("data", "an event that was not expunged"));
    }
    text::<TenantId>(&row, "tenant_id", "a tenant id, as a string")?;
    text::<EventId>(&row, "id", "`evt_` and 1 to 64 letters, digits, `_` or `-`, as a string")?;
    text::<KeptType>(&row, "event", "an event type such as `invoice.paid`, as a string")?;
    text::<String>(&row, "data", "a JSON object as a string, not as a map")?;
    let timestamp: String = text(&row, "timestamp", "an RFC 3339 time, as a string")?;
    time::parse("timestamp", &timestamp)?;
    seconds(&row, "expires_at")?;
    texts(&row, "tags", "a map of strings")?;
    // What a parser says may quote the row, so it is not repeated.
    let event: Event = serde_dynamo::from_item(row).map_err(|_| {
        Invalid::new("row", "no attributes but tenant_id, id, event, data, tags, timestamp and expires_at")
    })?;
    if event.data.len() > MAX_DATA_BYTES {
        return Err(Invalid::new("data", format!("at most {MAX_DATA_BYTES} bytes")));
    }
    check_data(&event.data)?;
    // Ours wraps what was checked when it came: a new job's request, for instance, a level deeper than its customer sent it.
    if event.ours {
        return Ok(event);
    }
    json::check_field(&event.data).map_err(|_| Invalid::new("data", "JSON that every parser reads alike"))?;
    // A producer's role may put rows, but not with these (its policy bounds the attributes): they are ours to write.
    if event.event_type.is_operational() {
        return Err(Invalid::new("event", "a type outside `webhook.*`, which is for Postrider's own events"));
    }
    check_tags(&event.tags)?;
    if event.job_id.is_some() || event.announce.is_some() || event.test_of.is_some() {
        return Err(Invalid::new("row", "none of the attributes that are Postrider's own"));
    }
    Ok(event)
}

/// A type that stands in a row, whose dialect may have left since: whoever took it in has judged it.
struct KeptType;

impl std::str::FromStr for KeptType {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        EventType::kept(text).map(|_| Self)
    }
}

/// Holds a producer's new row to the types that webhooks of this deployment may ask for, as every other door does. It is judged once,
/// by fan-out: a row stays readable when the dialect that has its type leaves.
///
/// # Errors
/// [`Invalid`] where there is no such type.
pub fn check_type(event: &Event) -> Result<(), Invalid> {
    // What has come by another door was judged there.
    if event.ours || event.counted { Ok(()) } else { dialect::read_type(event.event_type.as_str()).map(|_| ()) }
}

/// Holds a producer's row to the time at which it was written, as far as that is known, and to the retry schedules that webhooks may
/// have where events are `kept` for so many seconds. Webhooks are chosen by an event's time, and rows go by their expiry: a slip
/// in one sends to nobody, in the other for too short a time.
///
/// # Errors
/// [`Invalid`] for the time that is not as it should be.
pub fn check_times(event: &Event, written: Option<Timestamp>, kept: i64) -> Result<(), Invalid> {
    let (timestamp, expires_at) = (event.timestamp, event.expires_at);
    if event.ours {
        return Ok(());
    }
    if written.is_some_and(|written| timestamp.duration_since(written).abs() > CLOCKS_DIFFER) {
        return Err(Invalid::new("timestamp", "a time within a day of when the row was written"));
    }
    let longest = dialect::longest_own_retry_schedule(kept);
    if expires_at < timestamp.as_second().saturating_add(longest - ROUNDED) {
        let expected = format!("at least {longest} seconds after `timestamp`: as long as retries may last");
        return Err(Invalid::new("expires_at", expected));
    }
    Ok(())
}

fn text<T: std::str::FromStr>(row: &Item, name: &str, expected: &str) -> Result<T, Invalid> {
    let read = match row.get(name) {
        Some(AttributeValue::S(text)) => text.parse().ok(),
        _ => None,
    };
    read.ok_or_else(|| Invalid::new(name, expected))
}

/// A map of texts, if it is there at all.
fn texts(row: &Item, name: &str, expected: &str) -> Result<(), Invalid> {
    let is_text = |value: &AttributeValue| matches!(value, AttributeValue::S(_));
    match row.get(name) {
        None => Ok(()),
        Some(AttributeValue::M(texts)) if texts.values().all(is_text) => Ok(()),
        Some(_) => Err(Invalid::new(name, expected)),
    }
}

fn seconds(row: &Item, name: &str) -> Result<i64, Invalid> {
    let read = match row.get(name) {
        Some(AttributeValue::N(text)) => text.parse().ok(),
        _ => None,
    };
    match read {
        Some(seconds) if seconds > TOO_MANY_SECONDS => Err(Invalid::new(name, "seconds since 1970, not milliseconds")),
        Some(seconds) => Ok(seconds),
        None => Err(Invalid::new(name, "whole seconds since 1970, as a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = "2026-01-15T12:00:00Z";
    const DAY: i64 = 86_400;

    fn row(changes: &[(&str, Option<AttributeValue>)]) -> Item {
        let texts = [
            ("tenant_id", "ten_0123456789abcdef"),
            ("id", "evt_0123456789abcdefghij"),
            ("event", "invoice.paid"),
            ("data", "{}"),
            ("timestamp", "2026-01-15T12:00:00.000Z"),
        ];
        let mut row: std::collections::HashMap<String, AttributeValue> =
            texts.iter().map(|(name, text)| ((*name).to_owned(), AttributeValue::S((*text).to_owned()))).collect();
        row.insert("expires_at".to_owned(), n(now() + 30 * DAY));
        for (name, value) in changes {
            match value {
                Some(value) => row.insert((*name).to_owned(), value.clone()),
                None => row.remove(*name),
            };
        }
        row.into()
    }

    fn now() -> i64 {
        WRITTEN.parse::<Timestamp>().unwrap().as_second()
    }

    fn n(number: impl ToString) -> AttributeValue {
        AttributeValue::N(number.to_string())
    }

    fn tags(tags: &[(&str, AttributeValue)]) -> AttributeValue {
        AttributeValue::M(tags.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    fn verdict(changes: &[(&str, Option<AttributeValue>)]) -> Result<(), String> {
        verdict_where(30 * DAY, changes)
    }

    fn verdict_where(kept: i64, changes: &[(&str, Option<AttributeValue>)]) -> Result<(), String> {
        let event = read(row(changes)).map_err(|invalid| invalid.field)?;
        check_type(&event).map_err(|invalid| invalid.field)?;
        check_times(&event, Some(WRITTEN.parse().unwrap()), kept).map_err(|invalid| invalid.field)
    }

    #[test]
    fn slips_are_named_by_their_attribute() {
        let map = AttributeValue::M([("a".to_owned(), n(1))].into());
        let deep = |levels: usize| s(&format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels)));
        assert_eq!(verdict(&[]), Ok(()));
        assert_eq!(verdict(&[("data", Some(deep(62)))]), Ok(()));
        assert_eq!(verdict(&[("tags", Some(tags(&[("region", s("eu"))]))), ("event", Some(s("a:b-c")))]), Ok(()));
        for (field, value) in [
            ("tenant_id", Some(s("acme"))),
            ("id", Some(s("evt_"))),
            ("id", Some(s("evt_an id"))),
            ("id", Some(s("invoice_7"))),
            ("event", Some(s("Not a type"))),
            ("event", Some(s("orders/create"))),
            ("event", Some(s("orders#create"))),
            ("tags", Some(s("{}"))),
            ("tags", Some(tags(&[("a", n(1))]))),
            ("tags.a b", Some(tags(&[("a b", s("v"))]))),
            ("tags.a", Some(tags(&[("a", s("\u{1}"))]))),
            ("event", Some(s("webhook.disabled"))),
            ("event", None),
            ("data", Some(map)),
            ("data", None),
            ("data", Some(s("[1]"))),
            ("data", Some(s("{no JSON"))),
            ("data", Some(s(r#"{"a":1e400}"#))),
            ("data", Some(s(r#"{"a":"\ud800"}"#))),
            ("data", Some(s(r#"{"a":"\u0000"}"#))),
            ("data", Some(deep(63))),
            ("data", Some(s(&format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_DATA_BYTES))))),
            ("timestamp", None),
            ("timestamp", Some(s("2026-01-15T12:00:00.000"))),
            ("timestamp", Some(n(now()))),
            ("expires_at", None),
            ("expires_at", Some(n("1768478400.5"))),
            ("expires_at", Some(n(now() * 1000))),
            ("expires_at", Some(s("1868478400"))),
        ] {
            let attribute = field.split('.').next().unwrap();
            assert_eq!(verdict(&[(attribute, value.clone())]), Err(field.to_owned()), "{value:?}");
        }
        for own in ["job_id", "announce", "test_of"] {
            for value in ["job_0123456789abcdef", "wh_0123456789abcdef"] {
                assert_eq!(verdict(&[(own, Some(s(value)))]), Err("row".to_owned()), "{own}");
            }
        }
    }

    #[test]
    fn times_fit_the_writing_and_the_retries() {
        let at = |text: &str| [("timestamp", Some(s(text))), ("expires_at", Some(n(now() + 40 * DAY)))];
        for good in ["2026-01-14T12:00:00Z", "2026-01-16T12:00:00Z", "2026-01-15T13:00:00+01:00"] {
            assert_eq!(verdict(&at(good)), Ok(()), "{good}");
        }
        for bad in ["2026-01-14T11:59:59Z", "2026-01-16T12:00:01Z", "1970-01-01T00:00:00Z", "2062-01-15T12:00:00Z"] {
            assert_eq!(verdict(&at(bad)), Err("timestamp".to_owned()), "{bad}");
        }
        // Without the record of when it was written, only what the row itself tells counts.
        let event =
            read(row(&[("expires_at", Some(n(now() + 90 * DAY))), ("timestamp", Some(s("2026-02-15T12:00:00Z")))]));
        assert_eq!(check_times(&event.unwrap(), None, 30 * DAY), Ok(()));
    }

    #[test]
    fn a_row_outlives_the_longest_retry_schedule_that_a_webhook_may_have() {
        let (good, bad) = (Ok(()), Err("expires_at".to_owned()));
        let expires = |kept: i64, after: i64| verdict_where(kept, &[("expires_at", Some(n(now() + after)))]);
        // A webhook's own retry schedule may end when events go that came by other doors, and not later.
        for kept in [4 * DAY, 30 * DAY, 112 * DAY] {
            assert_eq!((expires(kept, kept), expires(kept, kept - 30)), (good.clone(), good.clone()), "{kept}");
            assert_eq!(expires(kept, kept - DAY), bad, "{kept}");
        }
        assert_eq!(
            (expires(365 * DAY, 124 * DAY), expires(365 * DAY, 112 * DAY)),
            (good, bad.clone()),
            "none is longer"
        );
        for (after, kept) in [(3 * DAY, DAY), (-1, DAY), (4 * DAY, 30 * DAY)] {
            assert_eq!(expires(kept, after), bad, "{after} {kept}");
        }
    }

    #[test]
    fn times_are_read_by_the_grammar_of_every_door() {
        let at = |text: &str| verdict(&[("timestamp", Some(s(text)))]);
        assert_eq!(at("2026-01-15T12:00:00.12345678901234Z"), Ok(()), "the grammar knows no end of digits");
        assert_eq!(at("2026-01-15t12:00:00z"), Ok(()));
        for odd in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999-05:00"] {
            assert_eq!(at(odd), Err("timestamp".to_owned()), "{odd}");
        }
        for no_time in ["2026-01-15 12:00:00Z", "2026-01-15T12:00Z", "2026-01-15T12:00:00Z[UTC]", "20260115T120000Z"] {
            assert_eq!(at(no_time), Err("timestamp".to_owned()), "{no_time}");
        }
    }

    #[test]
    fn a_refusal_is_told_by_the_row() {
        assert_eq!(refusal(&row(&[])), None);
        let noted = row(&[(REFUSED, Some(s("`timestamp`: …")))]);
        assert_eq!(refusal(&noted), Some("`timestamp`: …"));
        assert!(read(noted).is_ok(), "mended, it is an event, whatever was noted before");
    }

    #[test]
    fn a_row_stays_readable_when_the_dialect_of_its_type_leaves() {
        let orders = read(row(&[("event", Some(s("orders/create")))])).unwrap();
        assert!(check_type(&orders).is_err(), "a producer's new row is held to what there is");
        let taken = read(row(&[("event", Some(s("orders/create"))), ("counted", Some(AttributeValue::Bool(true)))]));
        assert_eq!(check_type(&taken.unwrap()), Ok(()), "what the API has taken is fanned out");
    }

    #[test]
    fn an_expunged_event_is_read_as_what_is_left_of_it_and_as_nothing_else() {
        let mark = (EXPUNGED, Some(s(WRITTEN)));
        let gone = row(&[mark.clone(), ("data", None)]);
        assert_eq!(expunged_at(&gone), Some(WRITTEN.parse().unwrap()));
        let left = expunged(&gone).unwrap();
        assert!(left.is_expunged() && left.event_type.as_str() == "invoice.paid");
        assert_eq!(read(gone).unwrap_err().field, "data");
        // A producer can mark a row of his own; it is none of ours for that, and nothing of it is sent.
        assert_eq!(
            (verdict(std::slice::from_ref(&mark)), expunged(&row(std::slice::from_ref(&mark)))),
            (Err("data".to_owned()), None)
        );
        assert_eq!(expunged(&row(&[("data", None)])), None, "a row without data is no event");
    }

    #[test]
    fn our_own_rows_are_ours_to_time() {
        let ours = ("ours", Some(AttributeValue::Bool(true)));
        let old = ("timestamp", Some(s("2025-01-15T12:00:00Z")));
        assert_eq!(verdict(&[ours.clone(), old, ("event", Some(s("webhook.disabled")))]), Ok(()));
        let wrapped = format!(r#"{{"request":{{"a":{}{}}}}}"#, "[".repeat(63), "]".repeat(63));
        assert_eq!(verdict(&[ours, ("data", Some(s(&wrapped)))]), Ok(()));
    }
}

//! Who asks for a sweep.

use postrider_api::Fields;
use postrider_api::trigger::Trigger;

/// Whether it is the timer, or an operator who has nothing to add.
pub(crate) fn asks_for_a_sweep(trigger: &Trigger, payload: &str) -> bool {
    match trigger {
        Trigger::Bus(event) => event.detail_type == "Scheduled Event",
        Trigger::Direct => Fields::read(payload.as_bytes()).and_then(Fields::finish).is_ok(),
        Trigger::Http | Trigger::Records(_) | Trigger::NoBatch => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    #[test]
    fn the_timer_sweeps_and_so_does_who_asks_for_nothing_else() {
        let sweeps = |payload: &str| {
            let raw = RawValue::from_string(payload.to_owned()).unwrap();
            asks_for_a_sweep(&Trigger::of(&raw), payload)
        };
        // As EventBridge has it ("Scheduled events").
        let timer = r#"{"version":"0","id":"1","detail-type":"Scheduled Event","source":"aws.events","account":"123456789012",
            "time":"2026-01-15T12:00:00Z","region":"us-east-1","resources":["arn:aws:events:us-east-1:123456789012:rule/x"],
            "detail":{}}"#;
        assert!(sweeps(timer) && sweeps("{}") && sweeps(" { } "));
        for other in [
            "[]",
            "7",
            "null",
            "\"{}\"",
            "true",
            r#"{"Records":[]}"#,
            r#"{"Records":5}"#,
            r#"{"force":true}"#,
            r#"{"id":"1","detail-type":"Postrider Event","detail":{}}"#,
            r#"{"requestContext":{}}"#,
        ] {
            assert!(!sweeps(other), "{other}");
        }
    }
}

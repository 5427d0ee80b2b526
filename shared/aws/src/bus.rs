//! The stack's own event bus, on which workers hear of new jobs, and the provider's services of what Postrider tells of webhooks.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_types::SdkConfig;
use futures::stream::{self, StreamExt as _};
use postrider_domain::announcement::Announcement;
use postrider_host::env::{self, BadSetting};

use crate::error::{AwsError, Failure, failed};

/// What Postrider's own events name as their source.
const SOURCE: &str = "postrider";
/// Entries that one call takes.
const BATCH: usize = 10;
/// Bytes of a call's details together; one that is larger goes by itself.
const BATCH_BYTES: usize = 256 * 1024;
const BATCHES_AT_ONCE: usize = 16;

/// The bus.
#[derive(Clone)]
pub struct Bus {
    client: Client,
    name: String,
}

impl Bus {
    /// From `EVENT_BUS`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::of(sdk, &env::var("EVENT_BUS")?))
    }

    /// The bus of this name.
    pub fn of(sdk: &SdkConfig, name: &str) -> Self {
        Self { client: Client::new(sdk), name: name.to_owned() }
    }

    /// Puts these on the bus; what became of each, in their order. A call that succeeds may leave single entries out, and one that
    /// fails may have been carried out: putting it again makes a double.
    pub async fn put_all(&self, announcements: &[Announcement<'_>]) -> Vec<Result<(), Failure>> {
        let batches: Vec<Vec<PutEventsRequestEntry>> = batches(announcements)
            .into_iter()
            .map(|batch| batch.iter().map(|announcement| self.entry(announcement)).collect())
            .collect();
        let puts = batches.into_iter().map(|batch| self.put(batch));
        stream::iter(puts).buffered(BATCHES_AT_ONCE).collect::<Vec<_>>().await.concat()
    }

    fn entry(&self, announcement: &Announcement<'_>) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(announcement.detail_type.as_str())
            .detail(announcement.detail.as_ref())
            .build()
    }

    async fn put(&self, batch: Vec<PutEventsRequestEntry>) -> Vec<Result<(), Failure>> {
        let number = batch.len();
        match self.client.put_events().set_entries(Some(batch)).send().await.map_err(failed("PutEvents")) {
            Err(error) => vec![Err(error); number],
            Ok(answer) => {
                // The answer has a place for each, in the same order. What it does not speak of is not known to be taken.
                let mut told = answer.entries().iter().map(|entry| match entry.error_code() {
                    Some(code) => Err(AwsError::refused("PutEvents", code)),
                    None => Ok(()),
                });
                (0..number)
                    .map(|_| {
                        told.next().unwrap_or_else(|| Err(AwsError::refused("PutEvents", "no answer for an entry")))
                    })
                    .collect()
            }
        }
    }
}

/// As few calls as take them all, in their order.
fn batches<'a, 'b>(announcements: &'a [Announcement<'b>]) -> Vec<&'a [Announcement<'b>]> {
    let (mut batches, mut begin, mut bytes) = (Vec::new(), 0, 0);
    for (place, announcement) in announcements.iter().enumerate() {
        let more = announcement.detail.len();
        if place > begin && (place - begin == BATCH || bytes + more > BATCH_BYTES) {
            batches.push(&announcements[begin..place]);
            (begin, bytes) = (place, 0);
        }
        bytes += more;
    }
    if begin < announcements.len() {
        batches.push(&announcements[begin..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use std::iter::repeat_with;

    use postrider_domain::detail_type::DetailType;
    use replay::{Said, Script};
    use serde_json::{Value, json};

    use super::*;
    use crate::sdk;

    fn of(bytes: &[usize]) -> Vec<Announcement<'static>> {
        let detail = |bytes: &usize| "x".repeat(*bytes).into();
        bytes.iter().map(|bytes| Announcement { detail_type: DetailType::Notice, detail: detail(bytes) }).collect()
    }

    #[test]
    fn calls_are_full_and_none_is_too_large() {
        let sizes = |bytes: &[usize]| -> Vec<usize> {
            let announcements = of(bytes);
            batches(&announcements).iter().map(|batch| batch.len()).collect()
        };
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&[1; 10]), [10]);
        assert_eq!(sizes(&[1; 21]), [10, 10, 1]);
        assert_eq!(sizes(&[BATCH_BYTES / 2; 5]), [2, 2, 1]);
        assert_eq!(sizes(&[1, BATCH_BYTES, 1, 1]), [1, 1, 2]);
        assert_eq!(sizes(&[BATCH_BYTES + 1, 1]), [1, 1], "one that is too large goes by itself");
    }

    async fn put(script: &Script, number: usize) -> Vec<bool> {
        let bus = Bus::of(&script.sdk(sdk::over), "bus");
        bus.put_all(&of(&vec![2; number])).await.iter().map(Result::is_ok).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn each_has_its_own_answer() {
        let partly = json!({"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "InternalFailure"}, {"EventId": "3"}]});
        let script = Script::default().saying("PutEvents", [Said::body(partly)]);
        assert_eq!(put(&script, 3).await, [true, false, true]);
        let entry = &script.asked("PutEvents")[0]["Entries"][2];
        let expected =
            json!({"EventBusName": "bus", "Source": "postrider", "DetailType": "Postrider Notice", "Detail": "xx"});
        assert_eq!(entry, &expected);
        let short =
            Script::default().saying("PutEvents", [Said::body(json!({"FailedEntryCount": 0, "Entries": [{}]}))]);
        assert_eq!(put(&short, 2).await, [true, false], "what nobody speaks of is put again");
        let lost = Script::default().saying("PutEvents", repeat_with(Said::lost));
        assert_eq!(put(&lost, 2).await, [false, false]);
    }

    #[tokio::test]
    async fn a_call_that_fails_spoils_no_other() {
        let refused = |call: &Value| {
            let entries = call["Entries"].as_array()?;
            let refused = json!({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "no"}]});
            let taken = json!({"FailedEntryCount": 0, "Entries": vec![json!({}); entries.len()]});
            Some(Said::body(if entries.len() == 1 { refused } else { taken }))
        };
        let script = Script::default().answering("PutEvents", refused);
        let told = put(&script, 21).await;
        assert_eq!((told.len(), told.iter().filter(|taken| **taken).count(), told[20]), (21, 20, false));
    }
}

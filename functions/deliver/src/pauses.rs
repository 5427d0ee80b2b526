//! Receivers that answer 429 and say for how long: their endpoints are left alone until then, so that one answer costs one delivery an
//! attempt, and not each of those that wait. A healthy endpoint costs nothing here.

use jiff::Timestamp;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::sdk::SdkConfig;
use postrider_domain::attempt::Outcome;
use postrider_domain::id::EndpointId;
use postrider_domain::snapshot::Consignment;
use postrider_domain::{pause, time};
use postrider_host::env::BadSetting;

use crate::noted::Noted;

/// Notes who asked to be left alone.
pub(crate) struct Pauses {
    config: ConfigTable,
}

impl Pauses {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self { config: ConfigTable::from_env(sdk)? })
    }

    /// Takes in what an attempt that ended at `now` was answered. A pause that cannot be written costs another such answer.
    pub(crate) async fn note(
        &self,
        consignment: &Consignment<'_>,
        outcome: &Outcome,
        noted: &Noted<EndpointId>,
        now: Timestamp,
    ) {
        let endpoint = consignment.endpoint();
        let Some(until) = pause::asked_for(&endpoint.dialect.retry, outcome, now) else { return };
        // A job's own URL has no row.
        let is_registered = consignment.delivery().job_id.is_none();
        if !is_registered || endpoint.paused_until >= Some(until) || !noted.is_new(endpoint.id.clone()) {
            return;
        }
        let (webhook_id, tenant_id) = (endpoint.id.as_str(), endpoint.tenant_id.as_str());
        match self.config.note_pause(endpoint, until).await {
            Ok(()) => tracing::info!(webhook_id, tenant_id, until = time::wire(until), "deliver.paused"),
            Err(error) => tracing::warn!(webhook_id, error = %error, "deliver.pause_not_noted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use postrider_aws::batch_reader::BatchReader;
    use postrider_aws::sdk;
    use postrider_domain::delivery::Delivery;
    use postrider_domain::dialect::STANDARD;
    use postrider_domain::endpoint::Endpoint;
    use postrider_domain::message::Message;
    use postrider_domain::snapshot::Verdict;
    use replay::{Caller, Said, Script, expression, keyed, sample};
    use serde_json::json;

    use super::*;

    const ASKED: u64 = 60;

    /// Has two attempts at this endpoint answered like this at once, and says what is written.
    async fn noted(endpoint: &Endpoint, status: u16, script: Script) -> Script {
        let owner = Caller::of_tenant(1, &STANDARD, &[]);
        let event = sample::event(owner.tenant_id());
        let row = Delivery::pending(&event, endpoint.id.clone(), Timestamp::UNIX_EPOCH, 0);
        let webhook = keyed(format!("TENANT#{}", endpoint.tenant_id), format!("WEBHOOK#{}", endpoint.id), endpoint);
        let tables = Script::default()
            .holding("config", owner.rows())
            .holding("config", [webhook])
            .holding("events", [json!(event)])
            .holding("deliveries", [json!(row)]);
        let names = ["config", "events", "deliveries", "jobs"].map(str::to_owned);
        let message = Message::new(&row, 1);
        let snapshot =
            BatchReader::of(&tables.sdk(sdk::over), names).read(std::slice::from_ref(&message)).await.unwrap();
        let Verdict::Send(consignment) = snapshot.verdict(&message, &row) else { panic!("nothing is in its way") };
        let pauses = Pauses { config: ConfigTable::of(&script.sdk(sdk::over), "config") };
        let outcome = Outcome::Responded { status, retry_after: Some(Duration::from_secs(ASKED)) };
        let batch = Noted::default();
        for _ in 0..2 {
            pauses.note(&consignment, &outcome, &batch, at(1_000)).await;
        }
        script
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn endpoint() -> Endpoint {
        sample::endpoint(Caller::of_tenant(1, &STANDARD, &[]).tenant_id())
    }

    #[tokio::test]
    async fn a_batchs_429s_pause_their_endpoint_once_and_never_shorten_a_pause() {
        let script = noted(&endpoint(), 429, Script::default().saying("UpdateItem", [Said::done()])).await;
        let write = &script.asked("UpdateItem")[0];
        assert_eq!(expression(write, "UpdateExpression"), r#"SET paused_until = "1970-01-01T00:17:40.000Z""#);
        assert!(expression(write, "ConditionExpression").contains(r#"paused_until < "1970-01-01T00:17:40.000Z""#));
        assert_eq!(script.operations().len(), 1);
    }

    #[tokio::test]
    async fn what_is_known_or_is_no_429_writes_nothing() {
        let known = Endpoint { paused_until: Some(at(1_060)), ..endpoint() };
        let ignoring =
            Endpoint { dialect: postrider_domain::dialect::DialectRef(&postrider_domain::dialect::NUR), ..endpoint() };
        for (endpoint, status) in [(&known, 429), (&endpoint(), 503), (&endpoint(), 200), (&ignoring, 429)] {
            assert!(noted(endpoint, status, Script::default()).await.operations().is_empty(), "{status}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_cannot_be_written_fails_nobody() {
        noted(&endpoint(), 429, Script::default().saying("UpdateItem", std::iter::repeat_with(Said::lost))).await;
    }
}

//! What is told of deliveries that failed: one of them, with all there is to say, or how many.

use serde::Serialize;

use super::{Attempt, Delivery, OwnEvent, OwnType, Reason, TenantId, Timestamp, time};
use crate::failures::{Group, Others};

#[derive(Serialize)]
struct DeliveryFailed<'a> {
    webhook_id: &'a str,
    count: u64,
    delivery_id: &'a str,
    event_id: &'a str,
    event: &'a str,
    reason: &'a str,
    /// Of this round.
    attempts: u32,
    /// None where the round ends before its first attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_outcome: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    failed_at: String,
}

#[derive(Serialize)]
struct DeliveriesFailed<'a> {
    /// None where they are of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhooks: Option<usize>,
    count: u64,
    since: String,
    until: String,
    first_delivery_id: &'a str,
    last_delivery_id: &'a str,
    /// The list that has them, as a path of the API.
    deliveries: String,
}

impl OwnEvent {
    /// That a delivery is given up at `at` for a reason: its row as it was read, and the attempt, if any, that ends it. Nothing where
    /// nobody is told: of what tells of such things itself, or one failure would be told without end; nor of what goes to a job's own
    /// URL, and so to no webhook; nor of a test, since whoever makes one looks at what became of it.
    pub fn delivery_failed(row: &Delivery, last: Option<&Attempt>, reason: Reason, at: Timestamp) -> Option<Self> {
        if row.event_type.is_operational() || row.test {
            return None;
        }
        let made = last.map_or(row.attempts_made, |last| last.number);
        let last = last.or_else(|| row.attempts.last()).filter(|last| last.number >= row.round_from);
        let failed = DeliveryFailed {
            webhook_id: row.webhook_id()?.as_str(),
            count: 1,
            delivery_id: row.id.as_str(),
            event_id: row.event_id.as_str(),
            event: row.event_type.as_str(),
            reason: reason.as_str(),
            attempts: (made + 1).saturating_sub(row.round_from),
            last_outcome: last.map(|last| last.outcome.as_str()),
            status_code: last.and_then(|last| last.status_code),
            failed_at: time::wire(at),
        };
        Some(Self::of_failures(row.tenant_id.clone(), &failed))
    }

    /// That so many deliveries to one webhook were.
    pub fn deliveries_failed(tenant: TenantId, group: &Group) -> Self {
        let path = format!("/v1/webhooks/{}/deliveries", group.webhook);
        Self::of_group(tenant, group, (Some(group.webhook.as_str()), None), &path)
    }

    /// The same of several webhooks together.
    pub fn others_failed(tenant: TenantId, others: &Others) -> Self {
        Self::of_group(tenant, &others.all, (None, Some(others.webhooks)), "/v1/deliveries")
    }

    fn of_group(
        tenant: TenantId,
        group: &Group,
        (webhook_id, webhooks): (Option<&str>, Option<usize>),
        path: &str,
    ) -> Self {
        // Lists go by the events' times, and end before `until`.
        let [since, until] = [group.events.0, time::plus_millis(group.events.1, 1)].map(time::wire);
        let failed = DeliveriesFailed {
            webhook_id,
            webhooks,
            count: group.count,
            since: time::wire(group.first.0),
            until: time::wire(group.last.0),
            first_delivery_id: group.first.1.as_str(),
            last_delivery_id: group.last.1.as_str(),
            deliveries: format!("{path}?status=failed&since={since}&until={until}"),
        };
        Self::of_failures(tenant, &failed)
    }

    fn of_failures(tenant_id: TenantId, data: &impl Serialize) -> Self {
        // Only maps with keys that are no strings cannot be written.
        let data = serde_json::to_string(data).unwrap_or_default();
        Self { own_type: OwnType::DeliveryFailed, tenant_id, data, job_id: None, announce: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failures::{Tally, Telling};
    use crate::id::{DeliveryId, EndpointId, EventId};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn delivery(webhook: u64, event: i64) -> DeliveryId {
        DeliveryId::new(at(event), &EndpointId::new(at(0), webhook), &EventId::fresh(1))
    }

    #[test]
    fn an_owner_is_told_how_many_failed_since_when_and_where_they_are_listed() {
        let mut tally = Tally::default();
        tally.add(at(101), delivery(1, 7));
        tally.add(at(102), delivery(1, 5));
        let group = tally.groups().remove(0);
        let told = OwnEvent::deliveries_failed(TenantId::new(at(0), 1), &group).into_event(7, at(200), 60);
        let webhook = EndpointId::new(at(0), 1);
        let expected = format!(
            r#"{{"webhook_id":"{webhook}","count":2,"since":"1970-01-01T00:01:41.000Z","until":"1970-01-01T00:01:42.000Z","first_delivery_id":"{}","last_delivery_id":"{}","deliveries":"/v1/webhooks/{webhook}/deliveries?status=failed&since=1970-01-01T00:00:05.000Z&until=1970-01-01T00:00:07.001Z"}}"#,
            delivery(1, 7),
            delivery(1, 5)
        );
        assert_eq!((told.data, told.event_type.as_str(), told.ours), (expected, "webhook.delivery_failed", true));
    }

    #[test]
    fn those_of_several_webhooks_name_none() {
        let (now, mut tally) = (at(1_000), Tally::default());
        for webhook in 0..25 {
            tally.add(at(101), delivery(webhook, 7));
        }
        let (_, others) = Telling::default().named(tally, now);
        let told = OwnEvent::others_failed(TenantId::new(at(0), 1), &others.unwrap()).into_event(7, now, 60);
        let head = r#"{"webhooks":5,"count":5,"since":"#;
        let tail = r#""deliveries":"/v1/deliveries?status=failed&since=1970-01-01T00:00:07.000Z&until=1970-01-01T00:00:07.001Z"}"#;
        assert!(told.data.starts_with(head) && told.data.ends_with(tail), "{}", told.data);
    }
}

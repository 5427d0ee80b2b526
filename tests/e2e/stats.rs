//! What became of a webhook's deliveries, counted.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::time::instant;
use crate::support::{Receiver, Reply, Tenant, World};

async fn stats(tenant: &Tenant, webhook: &str, query: &str) -> Value {
    tenant.api.get(&format!("/v1/webhooks/{webhook}/stats{query}")).await.ok(200)
}

/// The same as whoever adds up the list has it.
async fn added_up(tenant: &Tenant, webhook: &str) -> (BTreeMap<String, u64>, BTreeMap<String, u64>) {
    let (mut statuses, mut outcomes) = (BTreeMap::new(), BTreeMap::new());
    for row in tenant.deliveries(webhook, "").await {
        *statuses.entry(text(&row, "status").to_owned()).or_default() += 1;
        if let Some(last) = row["attempts"].as_array().and_then(|attempts| attempts.last()) {
            *outcomes.entry(text(last, "outcome").to_owned()).or_default() += 1;
        }
    }
    (statuses, outcomes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhooks_deliveries_are_counted_by_where_they_stand_and_what_came_last() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let script = [200, 500, 404, 200, 500, 200].map(Reply::Status);
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600]});
    let webhook = tenant.create(&body).await;
    let empty = stats(&tenant, &webhook, "").await;
    assert_eq!(
        (&empty["seen"], &empty["success_rate"], &empty["duration_ms"]["p50"]),
        (&json!(0), &Value::Null, &Value::Null)
    );
    let mut ids = Vec::new();
    for status in ["succeeded", "retrying", "retrying", "succeeded"] {
        let event = tenant.publish("invoice.paid", &json!({})).await;
        let id = tenant.delivery_of(&event, &webhook).await;
        tenant.settled(&id, status, 1).await;
        ids.push(id);
    }
    // One fails for good, one succeeds at last: each counts once, by its last attempt.
    world.aws.attempt_now(&ids[1], 2).await;
    tenant.settled(&ids[1], "failed", 2).await;
    world.aws.attempt_now(&ids[2], 2).await;
    tenant.settled(&ids[2], "succeeded", 2).await;
    let gone = tenant.publish("invoice.paid", &json!({})).await;
    let gone = tenant.delivery_of(&gone, &webhook).await;
    tenant.settled(&gone, "succeeded", 1).await;

    let counted = stats(&tenant, &webhook, "").await;
    assert_eq!(
        keys(&counted),
        [
            "bucket_seconds",
            "buckets",
            "complete",
            "deliveries",
            "duration_ms",
            "outcomes",
            "seen",
            "since",
            "success_rate",
            "until"
        ]
    );
    let (statuses, outcomes) = added_up(&tenant, &webhook).await;
    assert_eq!(statuses, BTreeMap::from([("failed".to_owned(), 1), ("succeeded".to_owned(), 4)]));
    for (status, count) in counted["deliveries"].as_object().expect("counts") {
        assert_eq!(count.as_u64(), Some(statuses.get(status).copied().unwrap_or_default()), "{status}: {counted}");
    }
    assert_eq!(counted["outcomes"], json!(outcomes));
    assert_eq!(
        (&counted["success_rate"], &counted["seen"], &counted["complete"]),
        (&json!(0.8), &json!(5), &json!(true))
    );
    let duration = |name: &str| counted["duration_ms"][name].as_u64().expect("a duration");
    assert!(duration("p50") <= duration("p95"), "{counted}");
    let buckets = counted["buckets"].as_array().expect("buckets");
    let sum = |name: &str| buckets.iter().filter_map(|bucket| bucket[name].as_u64()).sum::<u64>();
    assert_eq!((sum("succeeded"), sum("failed")), (4, 1), "{counted}");
    assert!(buckets.len() <= 48 && instant(text(&buckets[0], "from")) <= instant(text(&counted, "since")));

    // Of before there was anything, nothing; of a deleted webhook, the same as ever; of a stranger's, no word.
    let before = stats(&tenant, &webhook, "?since=2020-01-01T00:00:00Z&until=2020-02-01T00:00:00Z").await;
    assert_eq!(
        (&before["seen"], &before["complete"], &before["bucket_seconds"]),
        (&json!(0), &json!(true), &json!(86_400))
    );
    tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await.ok(204);
    assert_eq!(stats(&tenant, &webhook, "").await["deliveries"], counted["deliveries"]);
    let stranger = world.tenant().await;
    stranger.api.get(&format!("/v1/webhooks/{webhook}/stats")).await.refused(404, "not_found");
}

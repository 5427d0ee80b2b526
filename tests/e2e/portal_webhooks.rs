//! Webhooks that are made, changed and deleted on the portal's pages, by forms alone.

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::{Receiver, Reply, World};

const KEY: &str = "00112233445566778899aabbccddeeff";

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_made_changed_and_deleted_by_forms_alone() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(200)).await;
    let reader = world.reader(&world.visitor(&tenant.id, &json!({})).await);

    let form = reader.opens("webhooks/new").await;
    assert!(form.status == 200 && form.text.contains("name=\"patterns\""), "{}", form.text);
    let url = receiver.url("/made");
    let typed = [
        ("key", KEY),
        ("url", url.as_str()),
        ("name", "ERP"),
        ("patterns", "order.*"),
        ("headers_name", "x-team"),
        ("headers_value", "billing"),
        ("filter", "{\"data\": {\"amount\": [{\"numeric\": [\">\", 1000]}]}}"),
    ];
    let made = reader.posts(&form, "webhooks/new", &typed).await;
    assert!(made.status == 200 && made.text.contains("whsec_"), "{}", made.text);
    // Loaded again, it is the same one, with its secret.
    let again = reader.posts(&form, "webhooks/new", &typed).await;
    assert_eq!(made.text, again.text);
    let all = tenant.api.get("/v1/webhooks").await.ok(200);
    let found = all["webhooks"].as_array().expect("a list");
    assert_eq!(found.len(), 1, "{all}");
    let id = text(&found[0], "id").to_owned();
    let shown = async || -> Value { tenant.api.get(&format!("/v1/webhooks/{id}")).await.ok(200) };

    let edit = format!("webhooks/{id}/edit");
    let form = reader.opens(&edit).await;
    assert!(form.text.contains("value=\"***\"") && form.text.contains("value=\"ERP\""), "{}", form.text);
    let moved = [
        ("url", url.as_str()),
        ("name", "Renamed"),
        ("events", "*"),
        ("headers_name", "x-team"),
        ("headers_value", "***"),
        ("rate_limit", "7"),
    ];
    let saved = reader.posts(&form, &edit, &moved).await;
    assert_eq!(
        (saved.status, saved.location),
        (303, Some(format!("../../webhooks/{id}?done=saved"))),
        "{}",
        saved.text
    );
    let now = shown().await;
    assert_eq!((&now["name"], &now["events"], &now["rate_limit"]), (&json!("Renamed"), &json!(["*"]), &json!(7)));
    assert_eq!(
        (&now["headers"], now.get("filter")),
        (&json!({"x-team": "***"}), None),
        "the value stays, the filter goes"
    );

    let wrong = [("url", "http://plain.example/"), ("events", "*"), ("name", "<b>kept</b>")];
    let refused = reader.posts(&form, &edit, &wrong).await;
    for part in ["value=\"&lt;b&gt;kept&lt;/b&gt;\"", "aria-describedby=\"url-hint url-wrong\"", "<a href=\"#url\">"] {
        assert!(refused.status == 400 && refused.text.contains(part), "{part}: {}", refused.text);
    }
    assert_eq!(shown().await, now, "nothing was changed");

    let trial =
        [("try", "1"), ("filter", "{\"data\": {\"amount\": [{\"numeric\": [\">\", 10]}]}}"), ("test_event", "a.b")];
    for (data, says) in [("{\"amount\": 11}", "This event would be sent."), ("{\"amount\": 9}", "would not be sent")] {
        let fields: Vec<_> = trial.iter().copied().chain([("test_data", data)]).collect();
        let tried = reader.posts(&form, &edit, &fields).await;
        assert!(tried.status == 200 && tried.text.contains(says), "{says}: {}", tried.text);
    }

    let delete = format!("webhooks/{id}/delete");
    let asks = reader.opens(&delete).await;
    assert!(asks.text.contains("Delete Renamed?"), "{}", asks.text);
    let deleted = reader.posts(&asks, &delete, &[]).await;
    assert_eq!(deleted.location.as_deref(), Some("../../webhooks?done=deleted"));
    tenant.api.get(&format!("/v1/webhooks/{id}")).await.refused(404, "not_found");
    let list = reader.opens("webhooks?done=deleted").await;
    assert!(
        list.text.contains("The webhook is deleted.") && list.text.contains("There is no webhook yet"),
        "{}",
        list.text
    );
}

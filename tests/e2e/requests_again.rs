//! A delivery's request, made again: what its receiver got but for the signature, and words where nobody can tell it any more.

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::customer::project_report;
use crate::support::{Receiver, Reply, SOON, Tenant, World, canary};

const TOKEN: &str = concat!("Bearer ", canary!("header"), "/again");
const SECRET: &str = concat!("whsec_", canary!("secret"), "0123456789abcdef0123456789");

async fn shown(tenant: &Tenant, id: &str) -> Value {
    let answer = tenant.api.get(&format!("/v1/deliveries/{id}?include=request")).await;
    assert!(!answer.body.contains(canary!("header")) && !answer.body.contains(canary!("secret")), "{}", answer.body);
    answer.ok(200)["request"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_made_again_is_what_was_sent_but_for_its_signature_and_masks() {
    let world = World::open();
    for (dialect, signature) in [("nur", "x-nur-signature"), ("standard", "webhook-signature")] {
        let tenant = world.tenant_on(dialect, "pro").await;
        let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
        let secret = if dialect == "nur" { json!(SECRET) } else { Value::Null };
        let mut body = json!({"url": receiver.url("/"), "events": ["*"], "headers": {"x-token": TOKEN}});
        if secret.is_string() {
            body["secret"] = secret;
        }
        let webhook = tenant.create(&body).await;
        let event = tenant.publish("dubbing.completed", &json!({"z": 1.0, "text": "é\n\"quoted\""})).await;
        let id = tenant.delivery_of(&event, &webhook).await;
        tenant.settled(&id, "retrying", 1).await;
        let sent = receiver.only(SOON).await;
        let request = shown(&tenant, &id).await;
        assert_eq!((text(&request, "url"), text(&request, "body")), (receiver.url("/").as_str(), sent.text()));
        assert_eq!(request["left_out"], json!([signature]));
        let headers = request["headers"].as_object().expect("headers");
        for (name, value) in headers {
            let expected = if name == "x-token" { Some("***") } else { sent.header(name) };
            assert_eq!(value.as_str(), expected, "{dialect}: {name}");
        }
        let connections = ["host", "content-length"];
        for (name, _) in &sent.headers {
            let name = name.to_ascii_lowercase();
            let is_told = headers.contains_key(&name) || name == signature || connections.contains(&name.as_str());
            assert!(is_told, "{dialect}: nothing is told of {name}");
        }
        // The event has gone, and then the webhook.
        world.aws.rows.delete_event(&tenant.id, &event).await;
        assert_eq!(shown(&tenant, &id).await["lacking"], "event_expired");
        tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await.ok(204);
        let request = shown(&tenant, &id).await;
        assert_eq!((&request["lacking"], &request["body"]), (&json!("webhook_deleted"), &Value::Null));
        tenant.api.get(&format!("/v1/deliveries/{id}?include=event")).await.invalid("include");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jobs_request_is_made_again_for_its_own_url() {
    let world = World::open();
    let customer = world.nouvel().await;
    let receiver = Receiver::start(world.stack).await;
    let url = receiver.url("/");
    let job = customer.generate(1, 1, &url).await;
    customer.report(&job.id, &json!({"projects": [project_report(&job.projects[0], "completed")]})).await.ok(200);
    let delivery = customer.settled(&job.id, "succeeded", 1).await;
    let request = shown(&customer.tenant, text(&delivery, "id")).await;
    assert_eq!((text(&request, "url"), text(&request, "body")), (url.as_str(), receiver.only(SOON).await.text()));
    assert_eq!(request["left_out"], json!(["x-nouvel-signature"]));
}

//! One webhook and one delivery on the portal's pages, as whoever has only a link uses them.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::browsing::Page;
use crate::support::request::Received;
use crate::support::verifier::{flipped, run, words};
use crate::support::{Receiver, Reply, SOON, Tenant, World};

const ALL: [&str; 4] = ["view", "edit", "send", "secrets"];

/// Where a page below a webhook's or a delivery's own sends its reader on, below the portal's own path.
fn sent_on(page: &Page) -> String {
    let to = page.location.as_deref().unwrap_or_else(|| panic!("{}: {}", page.status, page.text));
    to.trim_start_matches("../").to_owned()
}

async fn webhook(tenant: &Tenant, receiver: &Receiver, more: Value) -> String {
    let mut body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    tenant.create(&body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_sent_by_a_button_and_seen_to_arrive() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = webhook(&tenant, &receiver, json!({"name": "ERP <b>"})).await;
    let reader = world.reader_who(&tenant.id, &ALL).await;
    let page = reader.opens(&format!("webhooks/{webhook}")).await;
    assert!(page.status == 200 && page.text.contains("<h1>ERP &lt;b&gt;</h1>"), "{}", page.text);
    assert!(page.text.contains("Nothing was sent here yet"), "{}", page.text);
    let begun = reader.posts(&page, &format!("webhooks/{webhook}/test"), &[]).await;
    let delivery = sent_on(&begun);
    let arrived = reader.finds(&delivery, &["data-final", "delivered", "This is a test"]).await;
    assert!(arrived.text.contains("Your endpoint accepted it at <time"), "{}", arrived.text);
    receiver.only(SOON).await;
    let path = delivery.split('?').next().unwrap_or_default().to_owned();
    reader.finds(&format!("webhooks/{webhook}"), &[&path, "1 delivered, 0 failed"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_explained_sent_again_and_recovered_after_a_count() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::scripted(world.stack, vec![Reply::Status(500); 3], Reply::Status(200)).await;
    let webhook = webhook(&tenant, &receiver, json!({})).await;
    for number in 0..3 {
        let event = tenant.publish("invoice.paid", &json!({"number": number, "to": "<script>alert(1)</script>"})).await;
        let delivery = tenant.delivery_of(&event, &webhook).await;
        tenant.settled(&delivery, "failed", 1).await;
    }
    let reader = world.reader_who(&tenant.id, &ALL).await;
    let list = reader.finds(&format!("webhooks/{webhook}?status=failed"), &["500 Internal Server Error"]).await;
    let (_, rest) = list.text.split_once("href=\"../deliveries/").expect("a failure should be listed");
    let delivery = format!("deliveries/{}", rest.split('"').next().unwrap_or_default());
    let page = reader.opens(&delivery).await;
    for part in
        ["Every attempt of the retry schedule failed", "The server failed or was not available", "&lt;script&gt;"]
    {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(!page.text.contains("<script>alert"), "{}", page.text);
    assert_eq!(sent_on(&reader.posts(&page, &format!("{delivery}/resend"), &[]).await), delivery);
    reader.finds(&delivery, &["data-final", "Attempt 2", "delivered"]).await;

    let form = reader.opens(&format!("webhooks/{webhook}/recover")).await;
    let asked = [("since", "2020-01-01T00:00"), ("kind", "missed"), ("statuses", "failed")];
    let path = format!("webhooks/{webhook}/recover");
    let counted = reader.posts(&form, &path, &asked).await;
    assert!(counted.text.contains("2 events would be sent."), "{}", counted.text);
    let sent = reader.posts(&counted, &path, &[&asked[..], &[("send", "1")]].concat()).await;
    reader.finds(&sent_on(&sent), &["data-final", "2 of 2 resent"]).await;
    receiver.wait_for(6, SOON).await;
    let none = reader.posts(&form, &path, &asked).await;
    assert!(none.text.contains("There is nothing to send"), "{}", none.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_called_off_and_a_webhook_is_paused_and_set_active_again() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(422)).await;
    let webhook = webhook(&tenant, &receiver, json!({"retry_schedule": [3600]})).await;
    let event = tenant.publish("invoice.paid", &json!({})).await;
    let delivery = tenant.delivery_of(&event, &webhook).await;
    tenant.settled(&delivery, "retrying", 1).await;
    let reader = world.reader_who(&tenant.id, &ALL).await;
    let path = format!("webhooks/{webhook}");
    let form = reader.opens(&format!("{path}/cancel")).await;
    assert!(form.text.contains("1 delivery of the last 30 days waits."), "{}", form.text);
    let begun = reader.posts(&form, &format!("{path}/cancel"), &[]).await;
    reader.finds(&sent_on(&begun), &["data-final", "1 of 1 cancelled"]).await;
    reader.finds(&format!("deliveries/{delivery}"), &["Somebody cancelled it"]).await;
    let paused = reader.posts(&form, &format!("{path}/pause"), &[]).await;
    let page = reader.opens(&sent_on(&paused)).await;
    assert!(page.text.contains("The webhook is paused.") && page.text.contains("disabled by request"), "{}", page.text);
    let enabled = reader.posts(&page, &format!("{path}/enable"), &[]).await;
    assert!(reader.opens(&sent_on(&enabled)).await.text.contains("The webhook is active."));
}

/// The program in Python that a page shows.
fn program(page: &Page) -> String {
    let (_, rest) = page.text.split_once("<code id=\"program-verify-py\">").expect("a program in Python");
    let (code, _) = rest.split_once("</code>").expect("it ends");
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")]
        .into_iter()
        .fold(code.to_owned(), |code, (escaped, char)| code.replace(escaped, char))
}

/// Whether it takes this body with the headers that came.
fn takes(program: &str, dialect: &str, received: &Received, body: &[u8], secret: &str) -> bool {
    let headers: std::collections::BTreeMap<_, _> =
        received.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    let ask = format!(
        "{program}\nimport json, os, sys\ngiven = json.loads(os.environ['GIVEN'])\n\
         print(is_authentic_{dialect}(sys.stdin.buffer.read(), given['headers'], [given['secret']]))"
    );
    let given = json!({"headers": headers, "secret": secret}).to_string();
    let output = run(Command::new("python3").args(["-c", &ask]).env("GIVEN", given), body);
    assert!(output.status.success(), "{}", words(&output));
    words(&output).trim() == "True"
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_on_the_page_verifies_what_is_received_and_the_new_secret_too() {
    let world = World::open();
    for (dialect, event) in [("standard", "invoice.paid"), ("nur", "dubbing.completed"), ("acme", "invoice.paid")] {
        let tenant = world.tenant_on(dialect, "pro").await;
        let receiver = Receiver::start(world.stack).await;
        let (old, new) =
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let webhook = webhook(&tenant, &receiver, json!({"secret": old})).await;
        // A visitor of another dialect sees whose program it is.
        let visitor = world.visitor(&tenant.id, &json!({"capabilities": ALL, "dialect": "standard"})).await;
        let reader = world.reader(&visitor);
        let code = reader.opens(&format!("webhooks/{webhook}/code")).await;
        let program = program(&code);
        tenant.publish(event, &json!({"to": "Müller", "amount": 1.50})).await;
        let received = receiver.only(SOON).await;
        assert!(takes(&program, dialect, &received, &received.body, old), "{dialect}: {program}");
        assert!(!takes(&program, dialect, &received, &received.body, new), "{dialect}");
        for body in flipped(&received.body) {
            assert!(!takes(&program, dialect, &received, &body, old), "{dialect} takes a changed body");
        }
        let fields = [("grace_seconds", "0"), ("secret", new)];
        let rotated = reader.posts(&code, &format!("webhooks/{webhook}/rotate"), &fields).await;
        assert!(rotated.status == 200 && rotated.text.contains(new), "{}", rotated.text);
        assert!(!reader.opens(&format!("webhooks/{webhook}")).await.text.contains(new), "{dialect} shows it again");
        tenant.publish(event, &json!({"to": "Müller"})).await;
        let after = receiver.wait_for(2, SOON).await.remove(1);
        assert!(takes(&program, dialect, &after, &after.body, new), "{dialect}");
        assert!(!takes(&program, dialect, &after, &after.body, old), "{dialect}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_another_tenants_is_shown_and_who_only_looks_changes_nothing() {
    let world = World::open();
    let (tenant, stranger) = (world.tenant_on("standard", "pro").await, world.tenant_on("standard", "pro").await);
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(422)).await;
    let ids = async |tenant: &Tenant| {
        let webhook = webhook(tenant, &receiver, json!({})).await;
        let event = tenant.publish("invoice.paid", &json!({})).await;
        let delivery = tenant.delivery_of(&event, &webhook).await;
        tenant.settled(&delivery, "failed", 1).await;
        (webhook, delivery)
    };
    let (own, own_delivery) = ids(&tenant).await;
    let (foreign, foreign_delivery) = ids(&stranger).await;
    let hour_ago = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1)).to_string();
    let recovery = stranger.api.post(&format!("/v1/webhooks/{foreign}/recover"), &json!({"since": hour_ago})).await;
    let recovery = recovery.ok(202)["recovery_id"].clone();
    let recovery = recovery.as_str().expect("an id");
    let reader_of_all = world.reader_who(&tenant.id, &ALL).await;
    let page = reader_of_all.opens(&format!("webhooks/{own}")).await;
    for path in ["", "/code", "/test", "/recover", "/cancel", "/rotate", "/preview", &format!("/recover/{recovery}")] {
        for webhook in if path.ends_with(recovery) { [&foreign, &own] } else { [&foreign, &foreign] } {
            let shown = reader_of_all.opens(&format!("webhooks/{webhook}{path}")).await;
            assert_eq!(shown.status, 404, "{path}: {}", shown.text);
        }
    }
    assert_eq!(reader_of_all.opens(&format!("deliveries/{foreign_delivery}")).await.status, 404);
    let posts = ["pause", "enable", "test", "recover", "cancel", "rotate", "preview"];
    let fields = [("since", "2020-01-01T00:00"), ("send", "1"), ("event", "invoice.paid"), ("data", "{}")];
    for form in posts {
        let done = reader_of_all.posts(&page, &format!("webhooks/{foreign}/{form}"), &fields).await;
        assert_eq!(done.status, 404, "{form}: {}", done.text);
    }
    let only_looks = world.reader_who(&tenant.id, &["view"]).await;
    let page = only_looks.opens(&format!("webhooks/{own}")).await;
    assert_eq!(page.status, 200);
    for form in posts {
        let done = only_looks.posts(&page, &format!("webhooks/{own}/{form}"), &fields).await;
        assert_eq!(done.status, 403, "{form}: {}", done.text);
    }
    for form in ["resend", "cancel"] {
        let done = reader_of_all.posts(&page, &format!("deliveries/{foreign_delivery}/{form}"), &[]).await;
        assert!([403, 404].contains(&done.status), "{form}: {}", done.status);
        let done = only_looks.posts(&page, &format!("deliveries/{own_delivery}/{form}"), &[]).await;
        assert_eq!(done.status, 403, "{form}: {}", done.text);
    }
    let posts = receiver.wait_for(3, SOON).await;
    assert_eq!(posts.len(), 3, "two failures, and what the recovery sent");
}

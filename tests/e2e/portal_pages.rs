//! What whoever has only a link finds out on the portal's pages: why an event did not come, whether a request came from here, who was told
//! of a job's end, and who changed what.

use serde_json::{Value, json};

use crate::support::request::Received;
use crate::support::rows::ago;
use crate::support::{Receiver, SOON, World};

const ALL: [&str; 4] = ["view", "edit", "send", "secrets"];

#[tokio::test(flavor = "multi_thread")]
async fn why_an_event_did_not_come_is_told_for_each_webhook_and_it_can_be_sent_there() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = async |path: &str, events: &[&str], filter: Option<Value>| {
        let body = json!({"url": receiver.url(path), "events": events, "filter": filter});
        tenant.create(&body).await
    };
    webhook("/gets-it", &["invoice.*"], None).await;
    let deleted = webhook("/deleted", &["order.*"], None).await;
    let other = webhook("/not-subscribed", &["order.*"], None).await;
    webhook("/filtered", &["invoice.*"], Some(json!({"data": {"amount": [{"numeric": [">", 10]}]}}))).await;
    let event = tenant.publish("invoice.paid", &json!({"amount": 7, "<script>": "<b>"})).await;
    receiver.wait_for(1, SOON).await;
    webhook("/later", &["*"], None).await;
    tenant.api.delete(&format!("/v1/webhooks/{deleted}")).await;

    let reader = world.reader_who(&tenant.id, &ALL).await;
    let list = reader.finds("events?event=invoice.paid", &[&event, "1 delivered"]).await;
    assert!(list.part(&event).contains("1 delivered"), "{}", list.text);
    let found = reader.opens(&format!("events?id={event}")).await;
    assert_eq!((found.status, found.location), (303, Some(format!("./events/{event}"))));
    let page = reader.opens(&format!("events/{event}")).await;
    for (part, says) in [
        ("/gets-it", "at the first attempt"),
        ("/not-subscribed", "is not subscribed to this type"),
        ("/filtered", "data.amount"),
        ("/later", "was created after the event"),
    ] {
        assert!(page.part(part).contains(says), "{part}: {}", page.text);
    }
    assert!(page.text.contains("One webhook was deleted since") && page.text.contains("4 not sent"), "{}", page.text);
    assert!(page.text.contains("&lt;script&gt;") && !page.text.contains("<script>\""), "{}", page.text);

    let path = format!("events/{event}/send");
    let sent = reader.posts(&page, &path, &[("webhook_id", &other)]).await;
    let leads_to = sent.location.unwrap_or_default();
    assert!(sent.status == 303 && leads_to.starts_with("../../deliveries/dlv_"), "{leads_to}: {}", sent.text);
    let posts = receiver.wait_for(2, SOON).await;
    assert_eq!(posts[1].path, "/not-subscribed");
    let again = reader.posts(&page, &path, &[("webhook_id", &other)]).await;
    assert!(again.status == 409 && again.text.contains("has this event already"), "{}", again.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_is_offered_nothing_and_sends_nothing() {
    let world = World::open();
    let (tenant, stranger) = (world.tenant_on("standard", "pro").await, world.tenant_on("standard", "pro").await);
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["order.*"]).await;
    let event = tenant.publish("invoice.paid", &json!({})).await;
    let theirs = stranger.publish("invoice.paid", &json!({})).await;
    let reader = world.reader_who(&tenant.id, &["view"]).await;
    let page = reader.finds(&format!("events/{event}"), &["is not subscribed to this type"]).await;
    assert!(!page.text.contains("/send\"") && !page.text.contains("/edit\""), "{}", page.text);
    let refused = reader.posts(&page, &format!("events/{event}/send"), &[("webhook_id", &webhook)]).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    for path in [format!("events/{theirs}"), "jobs/job_0000000000000000".to_owned(), "event-types/no.such".to_owned()] {
        assert_eq!(reader.opens(&path).await.status, 404, "{path}");
    }
    let lost = reader.opens(&format!("events?id={theirs}")).await;
    assert!(lost.status == 404 && lost.text.contains("There is no event"), "{}", lost.text);
    assert!(receiver.requests().is_empty());
}

/// What somebody pastes who has a request before him, as a browser sends it.
fn pasted(received: &Received) -> (String, String) {
    let headers: Vec<String> = received.headers.iter().map(|(name, value)| format!("> {name}: {value}")).collect();
    let text = received.text().replace("\r\n", "\n").replace('\n', "\r\n");
    (format!("> POST / HTTP/1.1\r\n{}\r\n>", headers.join("\r\n")), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_a_receiver_got_is_good_whatever_a_form_does_to_its_line_ends() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let reader = world.reader_who(&tenant.id, &["view"]).await;
    let form = reader.opens("doctor").await;
    for (data, says) in [
        ("{\"a\": 1.50}", None),
        ("{\n  \"a\": 1.50\n}", None),
        ("{\r\n  \"a\": 1.50\r\n}", Some("line ends of CR and LF")),
    ] {
        let receiver = Receiver::start(world.stack).await;
        let webhook = tenant.webhook(&receiver.url("/"), &["doctor.*"]).await;
        tenant.api.post_text("/v1/events", &format!("{{\"event\": \"doctor.asked\", \"data\": {data}}}")).await.ok(202);
        let received = receiver.only(SOON).await;
        let (headers, body) = pasted(&received);
        let asks = async |body: &str, more: &[(&str, &str)]| {
            let fields = [("webhook_id", webhook.as_str()), ("headers", headers.as_str()), ("body", body)];
            reader.posts(&form, "doctor", &[&fields[..], more].concat()).await
        };
        let good = asks(&body, &[]).await;
        assert!(
            good.status == 200 && good.text.contains("Yes: this came from us, unchanged."),
            "{data}: {}",
            good.text
        );
        assert_eq!(good.text.contains("line ends of CR and LF"), says.is_some(), "{data}: {}", good.text);
        let copied = asks(&format!("{body}\r\n"), &[]).await;
        assert!(
            copied.text.contains("Yes: this came from us, unchanged.")
                && copied.text.contains("without the line end at its end"),
            "{}",
            copied.text
        );
        let encoded = base64(&received.body);
        let exact = asks(&encoded, &[("base64", "true")]).await;
        assert!(exact.text.contains("Yes: this came from us, unchanged."), "{data}: {}", exact.text);
        let changed = asks(&body.replace("1.50", "1.60"), &[]).await;
        assert!(changed.text.contains("No: we did not send this body."), "{data}: {}", changed.text);
        let anew = asks(&body.replace("1.50", "1.5"), &[]).await;
        assert!(anew.text.contains("Almost: the body was written anew."), "{data}: {}", anew.text);
        tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await;
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_told_of_a_jobs_end_stands_with_the_job() {
    let world = World::open();
    let customer = world.nouvel().await;
    let reader = world.reader_who(&customer.tenant.id, &ALL).await;
    assert!(reader.opens("jobs").await.text.contains("There is no job"));
    let receiver = Receiver::start(world.stack).await;
    let job = customer.generate(1, 1, &receiver.url("/webhooks/nouvel")).await;
    let page = reader.opens("jobs").await;
    assert!(
        page.part(&job.id).contains("0 of 1 done") && page.part(&job.id).contains("once it has ended"),
        "{}",
        page.text
    );
    customer.report_project(&job.id, &job.projects[0], "completed").await.ok(200);
    receiver.only(SOON).await;
    let page = reader.finds(&format!("jobs/{}", job.id), &["delivered"]).await;
    assert!(page.text.contains("100 %") && page.text.contains(&receiver.url("/webhooks/nouvel")), "{}", page.text);
    let page = reader.opens("jobs").await;
    assert!(page.part(&job.id).contains("1 of 1 done") && page.part(&job.id).contains("delivered"), "{}", page.text);
    let an_hour_ago = ago(3_600);
    let since = [("since", an_hour_ago.as_str()), ("until", "")];
    let counted = reader.posts(&page, "jobs/generations/recover", &since).await;
    assert!(counted.status == 200 && counted.text.contains("All that ended in this time was told"), "{}", counted.text);
    let begun = reader.posts(&page, "jobs/generations/recover", &[&since[..], &[("begin", "true")]].concat()).await;
    let leads_to = begun.location.unwrap_or_default();
    let (_, path) = leads_to.split_once("jobs/").unwrap_or_else(|| panic!("{leads_to}: {}", begun.text));
    reader.finds(&format!("jobs/{path}"), &["It is done."]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changed_what_stands_with_who_it_was() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/changed"), &["order.*"]).await;
    let visitor = world.visitor(&tenant.id, &json!({})).await;
    visitor
        .api
        .patch(&format!("/v1/webhooks/{webhook}"), &json!({"name": "<b>ERP</b>", "events": ["invoice.*"]}))
        .await
        .ok(200);
    let reader = world.reader(&visitor);
    let page = reader.finds("changes", &["you, in this session", "an API key"]).await;
    let mine = page.part("you, in this session");
    assert!(mine.contains("event types") && mine.contains("name") && mine.contains("&lt;b&gt;ERP&lt;/b&gt;"), "{mine}");
    assert!(
        page.part("an API key").contains("created") && page.part("an API key").contains("/changed"),
        "{}",
        page.text
    );
    let other = world.reader(&world.visitor(&tenant.id, &json!({})).await);
    assert!(other.finds("changes", &["another session"]).await.text.contains(&visitor.id));
    let limited = world.visitor(&tenant.id, &json!({"webhook_ids": [webhook]})).await;
    let page = world.reader(&limited).opens("changes").await;
    assert!(page.text.contains("does not see who changed what") && !page.text.contains("/changed"), "{}", page.text);
}

//! Two tenants: to each, the other's rows do not exist.

use serde_json::json;

use crate::again::{act, deliver, outcomes};
use crate::support::api::text;
use crate::support::rows::{ago, event_row, n, s};
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};

/// A tenant with a key of the standard dialect.
async fn on_standard(world: &World) -> Tenant {
    let mut tenant = world.tenant().await;
    let key = world.key(&tenant.id, &json!({"dialect": "standard"})).await;
    tenant.api = world.anonymous.with_key(text(&key, "key"));
    tenant
}

/// Producers choose their events' ids, so two tenants can have the same: with the same secret, type and time to it.
#[tokio::test(flavor = "multi_thread")]
async fn xt_same_id() {
    const PAIRS: usize = 12;
    let world = World::open();
    let mut sides = Vec::new();
    for name in ["A-secret", "B-secret"] {
        let (tenant, receiver) = (on_standard(&world).await, Receiver::start(world.stack).await);
        let body = json!({"url": receiver.url("/"), "events": ["*"], "secret": "whsec_dGhlIHNhbWUgc2VjcmV0IGZvciBib3RoIG9mIHRoZW0="});
        let webhook = tenant.create(&body).await;
        sides.push((name, tenant, receiver, webhook));
    }
    let salt = text(&sides[0].1.api.get("/v1/webhooks").await.ok(200)["webhooks"][0], "id").replace("wh_", "");
    for pair in 0..PAIRS {
        let row = |(name, tenant, _, _): &(&str, Tenant, Receiver, String)| {
            event_row(&tenant.id, &format!("evt_{salt}{pair}"), "invoice.paid", &json!({"for": name}).to_string())
        };
        world.aws.rows.put_events(sides.iter().map(row).collect()).await;
    }
    for (name, tenant, receiver, webhook) in &sides {
        let requests = receiver.wait_for(PAIRS, SOON).await;
        let data: Vec<_> = requests.iter().map(|request| request.json()["data"]["for"].clone()).collect();
        assert_eq!(data, vec![json!(name); PAIRS], "its own data, and all of it");
        for pair in 0..PAIRS {
            let id = tenant.delivery_of(&format!("evt_{salt}{pair}"), webhook).await;
            tenant.settled(&id, "succeeded", 1).await;
        }
        assert_eq!(receiver.requests().len(), PAIRS);
    }
}

/// A row that nobody can read stands under the id that another tenant's event has.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_row_blocks_nobody_elses_event() {
    let world = World::open();
    let (good, bad) = (on_standard(&world).await, on_standard(&world).await);
    let failing = || Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200));
    let (at_good, at_bad) = (failing().await, failing().await);
    let body = |receiver: &Receiver| json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600]});
    let (goods, bads) = (good.create(&body(&at_good)).await, bad.create(&body(&at_bad)).await);
    let id = format!("evt_{}", goods.replace("wh_", ""));
    world
        .aws
        .rows
        .put_events(vec![event_row(&good.id, &id, "invoice.paid", "{}"), event_row(&bad.id, &id, "invoice.paid", "{}")])
        .await;
    let (goods, bads) = (good.delivery_of(&id, &goods).await, bad.delivery_of(&id, &bads).await);
    good.settled(&goods, "retrying", 1).await;
    bad.settled(&bads, "retrying", 1).await;
    let mut broken = event_row(&bad.id, &id, "invoice.paid", "{}");
    broken.insert("timestamp".to_owned(), s("yesterday"));
    world.aws.rows.put_event(broken).await;
    // Both in one batch.
    let messages = [world.aws.message(&bads, 2).await, world.aws.message(&goods, 2).await];
    world.aws.send_retry_batch(&messages).await;
    good.settled(&goods, "succeeded", 2).await;
    assert_eq!(at_bad.requests().len(), 1);
    // Mended, so that its message, which comes again in some minutes, is no dead letter then.
    world.aws.rows.put_event(event_row(&bad.id, &id, "invoice.paid", "{}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_do_not_belong_together_are_not_sent() {
    let world = World::open();
    let (owner, stranger) = (world.tenant().await, world.tenant().await);
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let webhook = owner.webhook(&receiver.url("/"), &["*"]).await;
    let id = deliver(&owner, &webhook).await;
    owner.settled(&id, "retrying", 1).await;
    let second = world.aws.message(&id, 2).await;
    world.aws.rows.set_delivery(&id, "tenant_id", s(stranger.id.as_str())).await;
    world.aws.send_retry(&second).await;
    until("our failure to be on record", SOON, || async {
        let row = world.aws.rows.delivery(&id).await.expect("the row is there");
        if row["attempt"] == n(2) { Ok(()) } else { Err(format!("{row:?}")) }
    })
    .await;
    assert_eq!(receiver.requests().len(), 1, "nothing was sent");
    until("the metric that the alarm watches", SOON, || async {
        let log = world.aws.functions.log("deliver").await;
        if log.iter().any(|line| line.contains("\"MixedRows\"")) { Ok(()) } else { Err(format!("{} lines", log.len())) }
    })
    .await;
    // Once it is put right, it goes on by itself.
    world.aws.rows.set_delivery(&id, "tenant_id", s(owner.id.as_str())).await;
    let delivery = until("it to be delivered", SOON, || async {
        let delivery = owner.delivery(&id).await;
        if delivery["status"] == "succeeded" { Ok(delivery) } else { Err(delivery.to_string()) }
    })
    .await;
    let told = outcomes(&delivery);
    assert_eq!((told[0].1, told[1].1, told[told.len() - 1].1), ("status_500", "internal", "succeeded"), "{delivery}");
    assert_eq!(receiver.requests().len(), 2);
}

/// A delivery's row that names another tenant's job tells nothing of that.
#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_job_is_shown_to_nobody_else() {
    let world = World::open();
    let (owner, stranger) = (world.netraflow("pro").await, world.netraflow("pro").await);
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let (own, foreign) = (owner.start(&receiver.url("/own")).await, stranger.start(&receiver.url("/foreign")).await);
    owner.report_task(&own, &json!({"status": "completed"})).await.data(200);
    let delivery = owner.settled(&own, "retrying", 1).await;
    let id = text(&delivery, "id");
    world.aws.rows.set_delivery(id, "job_id", s(foreign.as_str())).await;
    let path = format!("/v1/deliveries/{id}");
    for path in [path.as_str(), "/v1/deliveries?status=undelivered"] {
        let shown = owner.tenant.api.get(path).await;
        assert_eq!((shown.status, shown.body.contains("/foreign")), (200, false), "{}", shown.body);
    }
    assert_eq!(act(&owner.tenant, id, "retry").await.status, 409, "there is nobody to send it to");
    assert!(receiver.requests().iter().all(|request| request.path == "/own"));
    // Put right, lest a sweep comes upon it.
    world.aws.rows.set_delivery(id, "job_id", s(own.as_str())).await;
}

/// A producer's row under the id that a job's closing event might be thought to have.
#[tokio::test(flavor = "multi_thread")]
async fn a_producers_row_pins_no_job() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let receiver = Receiver::start(world.stack).await;
    let job = customer.start(&receiver.url("/")).await;
    let tenant = customer.tenant.id.parse().expect("a tenant's id");
    let guessed = postrider_domain::id::EventId::of_job(&tenant, &job.parse().expect("a job's id"));
    world.aws.rows.put_event(event_row(&customer.tenant.id, guessed.as_str(), "invoice.paid", "{}")).await;
    customer.report_task(&job, &json!({"status": "completed"})).await.data(200);
    customer.settled(&job, "succeeded", 1).await;
    assert_eq!(receiver.only(SOON).await.json()["job_id"], job.as_str());
}

/// All that two tenants can have alike, they have alike, in the same moments.
#[tokio::test(flavor = "multi_thread")]
async fn two_tenants_with_equal_everything_see_only_their_own() {
    let world = World::open();
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(200)).await;
    let mut sides = Vec::new();
    for name in ["one", "two"] {
        let tenant = world.tenant().await;
        let url = receiver.url(&format!("/{name}"));
        let body = json!({"url": url, "events": ["dubbing.*"], "secret": "whsec_the_same_for_both"});
        let webhook = tenant.create(&body).await;
        sides.push((name, tenant, webhook));
    }
    let publish = async |(name, tenant, _): &(&str, Tenant, String), key: usize| {
        let call = tenant.api.call(reqwest::Method::POST, "/v1/events");
        let body = json!({"event": "dubbing.completed", "id": format!("same-{key}"), "data": {"of": name}});
        text(&call.json(&body).send().await.ok(202), "id").to_owned()
    };
    for key in 0..6 {
        let (one, two) = futures::join!(publish(&sides[0], key), publish(&sides[1], key));
        assert_ne!(one, two, "the same key of another tenant is another event");
        // And the same again is the same.
        assert_eq!(publish(&sides[key % 2], key).await, if key % 2 == 0 { one } else { two });
    }
    let requests = receiver.wait_for(12, SOON).await;
    for (name, tenant, webhook) in &sides {
        let own: Vec<_> = requests.iter().filter(|request| request.path == format!("/{name}")).collect();
        assert_eq!(own.len(), 6);
        assert!(
            own.iter().all(
                |request| request.json()["data"]["of"] == *name && request.json()["webhook_id"] == webhook.as_str()
            )
        );
        let events: std::collections::BTreeSet<_> = own.iter().map(|request| request.event_id()).collect();
        until("its ledger", SOON, || async {
            let rows = tenant.deliveries(webhook, "status=succeeded").await;
            let told: std::collections::BTreeSet<_> = rows.iter().map(|row| text(row, "event_id").to_owned()).collect();
            if told == events { Ok(()) } else { Err(format!("{told:?}")) }
        })
        .await;
    }
}

/// A webhook hears of what happened since it was made, whenever it is told.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_events_row_is_not_for_a_newer_webhook() {
    let world = World::open();
    let tenant = on_standard(&world).await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let id = |mark: &str| format!("evt_{mark}{}", webhook.replace("wh_", ""));
    let mut old = event_row(&tenant.id, &id("old"), "invoice.paid", "{}");
    old.insert("timestamp".to_owned(), s(ago(3600)));
    world.aws.rows.put_event(old).await;
    world.aws.rows.put_event(event_row(&tenant.id, &id("new"), "invoice.paid", "{}")).await;
    assert_eq!(receiver.only(SOON).await.header("webhook-id"), Some(id("new").as_str()));
    let event = tenant.api.get(&format!("/v1/events/{}", id("old"))).await.ok(200);
    assert_eq!(event["deliveries"], json!([]));

    // A pattern that is added later begins later.
    let late = tenant.webhook(&receiver.url("/late"), &["other.*"]).await;
    let between = ago(0);
    tenant.api.patch(&format!("/v1/webhooks/{late}"), &json!({"events": ["other.*", "invoice.*"]})).await.ok(200);
    let mut before = event_row(&tenant.id, &id("before"), "invoice.paid", "{}");
    before.insert("timestamp".to_owned(), s(between));
    world.aws.rows.put_event(before).await;
    world.aws.rows.put_event(event_row(&tenant.id, &id("after"), "invoice.paid", "{}")).await;
    let at_late =
        async || receiver.requests().into_iter().filter(|request| request.path == "/late").collect::<Vec<_>>();
    receiver.wait_for(4, SOON).await;
    let late = at_late().await;
    let heard: Vec<_> = late.iter().filter_map(|request| request.header("webhook-id")).collect();
    assert_eq!(heard, [id("after")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_rows_do_not_exist() {
    let world = World::open();
    let (owner, stranger) = (world.tenant().await, world.tenant().await);
    let receiver = Receiver::start(world.stack).await;
    let webhook = owner.webhook(&receiver.url("/"), &["*"]).await;
    let event = owner.publish("dubbing.completed", &json!({"private": true})).await;
    let delivery = owner.delivery_of(&event, &webhook).await;
    owner.settled(&delivery, "succeeded", 1).await;

    for path in [
        format!("/v1/webhooks/{webhook}"),
        format!("/v1/webhooks/{webhook}/deliveries"),
        format!("/v1/events/{event}"),
        format!("/v1/deliveries/{delivery}"),
    ] {
        let theirs = stranger.api.get(&path).await.refused(404, "not_found");
        owner.api.get(&path).await.ok(200);
        // Nor can the answer be told from the one for an id that nobody has.
        let nobodys = stranger.api.get(&path.replace(&webhook, "wh_0000000000000000")).await.refused(404, "not_found");
        assert_eq!(theirs["code"], nobodys["code"]);
    }
    stranger.api.delete(&format!("/v1/webhooks/{webhook}")).await.refused(404, "not_found");
    assert_eq!(stranger.api.get("/v1/webhooks").await.body, r#"{"webhooks":[]}"#);
    assert_eq!(owner.api.get(&format!("/v1/webhooks/{webhook}")).await.ok(200)["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_go_to_their_own_tenants_webhooks() {
    let world = World::open();
    let (one, two) = (world.tenant().await, world.tenant().await);
    let (at_one, at_two) = (Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    one.webhook(&at_one.url("/"), &["*"]).await;
    two.webhook(&at_two.url("/"), &["*"]).await;
    let ones = one.publish("dubbing.completed", &json!({"of": 1})).await;
    let twos = two.publish("dubbing.completed", &json!({"of": 2})).await;
    assert_eq!(at_one.only(SOON).await.event_id(), ones);
    assert_eq!(at_two.only(SOON).await.event_id(), twos);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_is_its_tenants_own() {
    let world = World::open();
    let (one, two) = (world.tenant().await, world.tenant().await);
    let publish = async |tenant: &Tenant, data: u8| {
        let call = tenant.api.call(reqwest::Method::POST, "/v1/events").header("idempotency-key", "same");
        let answer = call.json(&json!({"event": "dubbing.completed", "data": {"of": data}})).send().await;
        text(&answer.ok(202), "id").to_owned()
    };
    assert_ne!(publish(&one, 1).await, publish(&two, 2).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_shows_nothing_of_another_webhook() {
    let world = World::open();
    let (owner, stranger) = (world.tenant().await, world.tenant().await);
    let receiver = Receiver::start(world.stack).await;
    let owners = owner.webhook(&receiver.url("/"), &["*"]).await;
    let strangers = stranger.webhook(&receiver.url("/"), &["*"]).await;
    for number in 0..3 {
        let event = owner.publish("dubbing.completed", &json!({"number": number})).await;
        owner.delivery_of(&event, &owners).await;
    }
    let page = owner.api.get(&format!("/v1/webhooks/{owners}/deliveries?limit=1")).await.ok(200);
    let cursor = text(&page["pagination"], "next_cursor");

    let answer = stranger.api.get(&format!("/v1/webhooks/{strangers}/deliveries?cursor={cursor}")).await;
    match answer.status {
        400 => answer.invalid("cursor"),
        _ => assert_eq!(answer.ok(200)["deliveries"], json!([])),
    }
}

//! A creation is carried out and nobody hears of it: under its key it is asked for again, and answered with its secret.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::chaos::{TRIES, alone, standard, with_proxy};
use crate::support::api::{Call, text};
use crate::support::proxy::{Fault, Proxy, Spoil};
use crate::support::{Api, SOON, Tenant, until};

fn body() -> Value {
    json!({"url": "https://your-app.invalid/", "events": ["*"]})
}

fn under_key(api: &Api) -> Call {
    api.call(Method::POST, "/v1/webhooks/create").header("Idempotency-Key", "the only one").json(&body())
}

async fn webhooks(tenant: &Tenant) -> usize {
    tenant.api.get("/v1/webhooks").await.ok(200)["webhooks"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_creation_whose_answer_is_lost_is_made_once_and_told_with_its_secret() {
    let (world, _guard) = alone().await;
    // Once, which the SDK tries again; and as often as it does.
    for times in [1, TRIES] {
        let tenant = standard(&world).await;
        let proxy = Proxy::start(world.stack).await;
        with_proxy(&world, "webhooks", &proxy, async {
            proxy.add(Fault::of(Spoil::LoseAnswer).on("TransactWriteItems").about(&tenant.id).times(times));
            let first = under_key(&tenant.api).try_send().await;
            assert!(proxy.hits() >= 1, "nothing was lost");
            let second = under_key(&tenant.api).send().await;
            let made = second.ok(201);
            assert!(text(&made, "secret").starts_with("whsec_"), "{made}");
            match first {
                Ok(first) => assert_eq!(first.ok(201), made),
                Err(told) => assert!(told.contains("repeating the request is safe"), "{told}"),
            }
            assert_eq!(webhooks(&tenant).await, 1);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_function_that_is_killed_after_its_write_leaves_the_answer_behind() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let proxy = Proxy::start(world.stack).await;
    with_proxy(&world, "webhooks", &proxy, async {
        let late = Spoil::Delay(Duration::from_secs(5));
        proxy.add(Fault::of(late).on("TransactWriteItems").about(&tenant.id).times(1));
        let killing = async {
            until("a webhook that nobody has heard of", SOON, || async {
                if webhooks(&tenant).await == 1 { Ok(()) } else { Err("none".to_owned()) }
            })
            .await;
            assert!(world.aws.functions.kill_all("webhooks") > 0, "somebody must have written it");
        };
        let (first, ()) = tokio::join!(under_key(&tenant.api).try_send(), killing);
        // What the emulator answers for a process that is dead is none of ours: the caller repeats it.
        let made = until("an answer", SOON, || under_key(&tenant.api).try_send()).await.ok(201);
        assert!(text(&made, "secret").starts_with("whsec_"), "{made}");
        // The emulator may have asked again by itself: then that was a repeat already.
        if let Ok(first) = first {
            assert_eq!(first.ok(201), made);
        }
        assert_eq!(webhooks(&tenant).await, 1);
    })
    .await;
}

//! Writes whose answer is lost, and whose row somebody else writes before the SDK tries again: the mark that stands there is
//! no longer ours, and what was done is known all the same. (Of transactions DynamoDB knows a second try by its token, and so
//! does the emulator: `config_table/overwritten.rs` plays through what comes after ten minutes.)

use std::time::Duration;

use futures::future::join;
use serde_json::json;

use crate::chaos::{alone, with_proxy};
use crate::support::api::text;
use crate::support::proxy::{Fault, Proxy, Spoil};
use crate::support::rows::s;
use crate::support::{SOON, until};

/// Long enough to write something in between, and shorter than the SDK waits for an answer.
const IN_BETWEEN: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_rotation_that_somebody_writes_over_makes_one_secret() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let path = format!("/v1/tenants/{}/secret/rotate", tenant.id);
    // One that was shown, so that it counts until its grace ends.
    world.admin.post(&path, &json!({"grace_seconds": 0})).await.ok(200);
    let proxy = Proxy::start(world.stack).await;
    let shown = with_proxy(&world, "tenants", &proxy, async {
        proxy.add(Fault::of(Spoil::LoseAnswer).on("UpdateItem").times(1));
        proxy.add(Fault::of(Spoil::Late(IN_BETWEEN)).on("UpdateItem").times(1));
        let between = async {
            until("the second try", SOON, || async {
                if proxy.hits() == 2 { Ok(()) } else { Err(proxy.hits().to_string()) }
            })
            .await;
            world.aws.rows.amend(&tenant.id, "TENANT", "changed_by", s("somebody")).await;
        };
        join(world.admin.post(&path, &json!({})), between).await.0.ok(200)
    })
    .await;
    assert!(!text(&shown, "secret").is_empty());
    let row = world.aws.rows.of_tenant(&tenant.id).await;
    assert_eq!(row["changed_by"], s("somebody"));
    let secrets = row["secrets"].as_l().expect("a tenant has secrets");
    assert_eq!(secrets.len(), 2, "the old one and the one that was shown");
    assert!(shown["previous_secret_until"].is_string(), "{shown}");
}

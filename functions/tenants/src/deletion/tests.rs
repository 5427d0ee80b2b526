//! A tenant that is being deleted, and what is told of it.

use jiff::{SignedDuration, Timestamp};
use postrider_domain::deletion::{Deletion, Removed, Stage};
use postrider_domain::tenant::Tenant;
use replay::{Call, Said, Script, expression, keyed};
use serde_json::{Value, json};

use super::*;
use crate::handler::tests::{answered, path, row, script, tenant, written};

fn leaving(since: Timestamp) -> Tenant {
    let external_id = "customer-1".parse().ok();
    Tenant { status: TenantStatus::Deleting, deleting_since: Some(since), external_id, ..tenant() }
}

fn listed(deletion: &Deletion) -> Value {
    keyed("DELETIONS", format!("TENANT#{}", tenant().id), deletion)
}

fn deletion(since: Timestamp) -> Deletion {
    Deletion::asked_for(tenant().id, "customer-1".parse().ok(), since)
}

/// An AWS where the tenant is being deleted, so far.
fn going_on(since: Timestamp) -> Script {
    let removed = Removed { keys: 2, webhooks: 3, deliveries: 20, jobs: 0 };
    let so_far = Deletion { stage: Stage::Deliveries, removed, ..deletion(since) };
    let claim = keyed("EXTERNAL#customer-1", "EXTERNAL", &json!({"tenant_id": tenant().id}));
    Script::default().holding("config", [row(&leaving(since)), listed(&so_far), claim]).also(script())
}

fn delete() -> Call {
    Call::new("DELETE", &path(""))
}

#[tokio::test]
async fn a_tenants_row_says_that_it_is_deleted_before_anything_else_happens() {
    let since = clock::now();
    let script = Script::default()
        .saying_about("GetItem", "\"TENANT\"", [Said::row(&row(&tenant())), Said::row(&row(&leaving(since)))])
        .holding("config", [listed(&deletion(since))])
        .also(script())
        .saying("TransactWriteItems", [Said::done()]);
    let answer = answered(&script, delete()).await;
    assert_eq!((answer.status, &answer.body["status"]), (202, &json!("deleting")), "{answer:?}");
    assert_eq!(answer.body["deletion"]["stage"], Value::Null, "nothing is taken away yet");
    let writes = written(&script);
    let update = &writes[0]["Update"];
    let said = expression(update, "UpdateExpression");
    assert!(
        said.starts_with(r#"SET status = "deleting", deleting_since = "#) && said.ends_with("REMOVE secrets"),
        "{said}"
    );
    assert_eq!(
        expression(update, "ConditionExpression"),
        "attribute_exists(pk) AND attribute_not_exists(deleting_since) AND attribute_not_exists(external_id)"
    );
    assert_eq!(writes[1]["Put"]["Item"]["pk"], "DELETIONS");
}

#[tokio::test]
async fn how_far_it_has_come_is_shown_by_either_id_and_asked_for_again_it_goes_on() {
    let since = clock::now() - SignedDuration::from_mins(5);
    for call in [Call::new("GET", &path("")), Call::new("GET", "/v1/tenants/ext:customer-1"), delete()] {
        let answer = answered(&going_on(since), call.clone()).await;
        assert_eq!(answer.status, if call.method() == "GET" { 200 } else { 202 });
        let told = &answer.body["deletion"];
        assert_eq!(
            (&told["stage"], &told["webhooks"], &told["deliveries"]),
            (&json!("deliveries"), &json!(3), &json!(20))
        );
    }
}

#[tokio::test]
async fn nothing_of_it_can_be_changed_and_no_new_one_has_its_name() {
    let body = json!({"name": "Acme", "plan": "pro"});
    for (method, path, body) in [
        ("PATCH", path(""), json!({"status": "active"})),
        ("PATCH", path(""), json!({"external_id": null})),
        ("PUT", "/v1/tenants/ext:customer-1".to_owned(), body),
        ("POST", path("/keys"), json!({"dialect": "standard"})),
        ("GET", path("/keys"), Value::Null),
        ("GET", path("/stats"), Value::Null),
        ("DELETE", path("/keys/key_0000000000000001"), Value::Null),
        ("POST", path("/secret/rotate"), json!({})),
    ] {
        let call = Call::new(method, &path);
        let call = if body.is_null() { call } else { call.saying(&body) };
        let answer = answered(&going_on(clock::now()), call).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (409, &json!("conflict")), "{method} {path}");
    }
}

#[tokio::test]
async fn a_change_that_meets_the_deletion_is_refused_by_the_row_itself() {
    let refused = || Said::refused(&row(&leaving(clock::now())));
    let script = script().saying("UpdateItem", [refused()]);
    let call = Call::new("PATCH", &path("")).saying(&json!({"status": "active"}));
    assert_eq!(answered(&script, call).await.status, 409);
}

#[tokio::test]
async fn once_nothing_is_left_it_is_one_that_nobody_has() {
    let tombstone = json!({
        "id": tenant().id, "status": "deleting", "deleting_since": "2026-01-15T14:00:00.000Z",
        "erased_at": "2026-01-15T14:05:00.000Z",
    });
    let tombstone = keyed(format!("TENANT#{}", tenant().id), "TENANT", &tombstone);
    for (method, of) in [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/stats"),
        ("GET", "/keys"),
        ("POST", "/keys"),
        ("DELETE", "/keys/key_0000000000000001"),
        ("POST", "/secret/rotate"),
    ] {
        let script = Script::default().holding("config", [tombstone.clone()]).also(script());
        let call = Call::new(method, &path(of)).saying(&json!({}));
        assert_eq!(answered(&script, call).await.status, 404, "{method} {of}");
    }
}

#[tokio::test]
async fn a_tenant_whose_row_cannot_be_read_can_be_deleted() {
    let broken = |others: Value| {
        let mut row = others;
        row["name"] = json!(7);
        keyed(format!("TENANT#{}", tenant().id), "TENANT", &row)
    };
    let leaving = json!({"deleting_since": "2026-01-15T14:00:00.000Z", "status": "deleting"});
    let script = Script::default()
        .saying_about("GetItem", "\"TENANT\"", [Said::row(&broken(json!({}))), Said::row(&broken(leaving))])
        .also(script())
        .saying("TransactWriteItems", [Said::done()]);
    let answer = answered(&script, delete()).await;
    assert_eq!((answer.status, &answer.body["status"]), (202, &json!("deleting")), "{answer:?}");
}

#[tokio::test]
async fn a_deletion_whose_row_is_lost_begins_anew() {
    let since: Timestamp = "2026-01-15T14:00:00Z".parse().unwrap();
    let script =
        Script::default().holding("config", [row(&leaving(since))]).also(script()).saying("PutItem", [Said::done()]);
    assert_eq!(answered(&script, delete()).await.status, 202);
    let put = script.asked("PutItem").into_iter().find(|put| put["Item"]["pk"] == "DELETIONS").unwrap();
    assert_eq!(
        (&put["Item"]["since"], &put["Item"]["external_id"]),
        (&json!("2026-01-15T14:00:00.000Z"), &json!("customer-1"))
    );
}

#[tokio::test]
async fn nobody_is_deleted_whom_nobody_has() {
    for path in ["/v1/tenants/ten_00000000000000zz", "/v1/tenants/ext:nobody", "/v1/tenants/acme"] {
        assert_eq!(answered(&script(), Call::new("DELETE", path)).await.status, 404, "{path}");
    }
}

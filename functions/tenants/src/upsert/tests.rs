//! Which tenant an external id names, before, during and after others give it to another one.

use std::iter::repeat_with;

use replay::{Call, Said, Script, expression, item, keyed};
use serde_json::{Value, json};

use super::*;
use crate::handler::tests::{answered, path, post, row, script, tenant, written};

fn named(external_id: &str) -> Tenant {
    Tenant { external_id: Some(external_id.parse().unwrap()), ..tenant() }
}

fn claim(external_id: &str) -> Value {
    keyed(format!("EXTERNAL#{external_id}"), "EXTERNAL", &json!({"tenant_id": tenant().id}))
}

/// An AWS that knows the tenant by this name.
fn knowing(external_id: &str) -> Script {
    // What is written down first counts first.
    Script::default().holding("config", [row(&named(external_id)), claim(external_id)]).also(script())
}

fn put(external_id: &str, body: &Value) -> Call {
    Call::new("PUT", &format!("/v1/tenants/ext:{external_id}")).saying(body)
}

fn changed(tenant: &Tenant) -> Said {
    Said::body(json!({"Attributes": item(&row(tenant))}))
}

#[tokio::test]
async fn a_tenant_that_there_is_not_is_made_and_its_name_claimed_with_it() {
    let script = script().saying("TransactWriteItems", [Said::done()]);
    let body = json!({"name": "Acme", "plan": "pro", "metadata": {"crm": "17"}});
    let answer = answered(&script, put("customer-1", &body)).await;
    assert_eq!((answer.status, &answer.body["external_id"]), (201, &json!("customer-1")), "{answer:?}");
    assert_eq!(answer.body["metadata"], json!({"crm": "17"}));
    let claim = &written(&script)[2]["Put"];
    assert_eq!(
        (&claim["Item"]["pk"], &claim["Item"]["tenant_id"]),
        (&json!("EXTERNAL#customer-1"), &answer.body["id"])
    );
    assert_eq!(claim["ConditionExpression"], "attribute_not_exists(pk)");
}

#[tokio::test]
async fn one_that_there_is_changes_and_stays_the_same_tenant() {
    let script = knowing("customer-1").saying("UpdateItem", [changed(&named("customer-1"))]);
    let answer = answered(&script, put("customer-1", &json!({"name": "Acme & Sons", "plan": "pro"}))).await;
    assert_eq!((answer.status, &answer.body["id"]), (200, &json!(tenant().id)), "{answer:?}");
    let update = script.asked("UpdateItem").remove(0);
    let said = expression(&update, "UpdateExpression");
    assert!(said.contains(r#"name = "Acme & Sons""#) && !said.contains("metadata"), "what is left out stays: {said}");
    assert!(expression(&update, "ConditionExpression").ends_with(r#"external_id = "customer-1""#), "{update}");
}

#[tokio::test]
async fn of_two_who_make_the_same_tenant_at_once_the_second_changes_what_the_first_has_made() {
    // The name is free when it is looked for, and claimed when the tenant is put.
    let free_then_claimed = [Said::done(), Said::row(&claim("customer-1"))];
    let script = Script::default()
        .saying_about("GetItem", "EXTERNAL#", free_then_claimed)
        .holding("config", [row(&named("customer-1"))])
        .also(script())
        .saying("TransactWriteItems", [Said::cancelled(&[Err("None"), Err("None"), Ok(claim("customer-1"))])])
        .saying("UpdateItem", [changed(&named("customer-1"))]);
    let answer = answered(&script, put("customer-1", &json!({"name": "Acme", "plan": "pro"}))).await;
    assert_eq!((answer.status, &answer.body["id"]), (200, &json!(tenant().id)), "{answer:?}");
}

#[tokio::test]
async fn a_name_that_has_gone_to_another_is_looked_for_again_and_at_last_told() {
    // The claim names a tenant that has another name by now, each time.
    let script = Script::default().holding("config", [row(&named("customer-2")), claim("customer-1")]).also(script());
    let answer = answered(&script, put("customer-1", &json!({"name": "Acme", "plan": "pro"}))).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (409, &json!("conflict")), "{answer:?}");
}

#[tokio::test]
async fn what_can_be_no_external_id_makes_no_tenant() {
    let body = json!({"name": "Acme", "plan": "pro"});
    for (segment, status, field) in [
        (tenant().id.as_str(), 400, json!("external_id")),
        ("acme", 404, Value::Null),
        ("ext:", 400, json!("external_id")),
        ("ext:a b", 400, json!("external_id")),
        ("extacme", 404, Value::Null),
    ] {
        let call = Call::new("PUT", &format!("/v1/tenants/{segment}")).saying(&body);
        let answer = answered(&script(), call).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (status, &field), "{segment}");
    }
    for (body, field) in [
        (json!({"name": "Acme"}), "plan"),
        (json!({"plan": "pro"}), "name"),
        (json!({"name": "Acme", "plan": "pro", "secret": "whsec_1234567890123456"}), "secret"),
        (json!({"name": "Acme", "plan": "pro", "status": "active"}), "status"),
        (json!({"name": "Acme", "plan": "pro", "metadata": null}), "metadata"),
    ] {
        let answer = answered(&script(), put("customer-1", &body)).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!(field)), "{body}");
    }
}

#[tokio::test]
async fn what_a_put_leaves_out_stays() {
    let script = knowing("customer-1").saying("UpdateItem", [changed(&named("customer-1"))]);
    let answer = answered(&script, put("customer-1", &json!({"metadata": {"crm": "1"}}))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let said = expression(&script.asked("UpdateItem")[0], "UpdateExpression");
    assert!(said.contains("metadata") && !said.contains("name =") && !said.contains("plan"), "{said}");
}

#[tokio::test]
async fn every_route_of_a_tenant_takes_its_external_id() {
    let answer = answered(&knowing("customer-1"), Call::new("GET", "/v1/tenants/ext:customer-1")).await;
    assert_eq!((answer.status, &answer.body["id"]), (200, &json!(tenant().id)));
    for (method, path) in [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/stats"),
        ("GET", "/keys"),
        ("POST", "/keys"),
        ("DELETE", "/keys/key_0000000000000001"),
        ("POST", "/secret/rotate"),
    ] {
        let call = Call::new(method, &format!("/v1/tenants/ext:nobody{path}")).saying(&json!({}));
        assert_eq!(answered(&knowing("customer-1"), call).await.status, 404, "{method} {path}");
    }
}

#[tokio::test]
async fn a_tenants_name_is_claimed_before_it_is_its_and_the_old_one_given_back() {
    let changes = [
        (tenant(), json!("new"), vec!["EXTERNAL#new"], vec![]),
        (named("old"), json!("new"), vec!["EXTERNAL#new"], vec!["EXTERNAL#old"]),
        (named("old"), Value::Null, vec![], vec!["EXTERNAL#old"]),
    ];
    for (before, external_id, claimed, given_back) in changes {
        let script = Script::default()
            .holding("config", [row(&before)])
            .also(script())
            .saying("TransactWriteItems", [Said::done()]);
        let call = Call::new("PATCH", &path("")).saying(&json!({"external_id": external_id}));
        assert_eq!(answered(&script, call).await.status, 200);
        let writes = written(&script);
        let keys = |kind: &str, at: &str| -> Vec<String> {
            let of = writes.iter().filter_map(|write| write[kind][at]["pk"].as_str());
            of.map(str::to_owned).collect()
        };
        assert_eq!(
            (keys("Put", "Item"), keys("Delete", "Key")),
            (claimed.iter().map(ToString::to_string).collect(), given_back.iter().map(ToString::to_string).collect())
        );
        let condition = expression(&writes[0]["Update"], "ConditionExpression");
        let was = before
            .external_id
            .as_ref()
            .map_or("attribute_not_exists(external_id)".to_owned(), |was| format!(r#"external_id = "{was}""#));
        assert!(condition.ends_with(&was), "{condition}");
    }
}

#[tokio::test]
async fn a_name_that_is_anothers_is_a_conflict_and_one_that_stays_is_no_claim() {
    let script = script().saying("TransactWriteItems", [Said::cancelled(&[Err("None"), Ok(claim("taken"))])]);
    let call = Call::new("PATCH", &path("")).saying(&json!({"external_id": "taken"}));
    let answer = answered(&script, call).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (409, &json!("conflict")));
    let body = json!({"name": "Acme", "plan": "pro", "external_id": "taken"});
    let refused = [Said::cancelled(&[Err("None"), Err("None"), Ok(claim("taken"))])];
    let script = self::script().saying("TransactWriteItems", refused);
    assert_eq!(answered(&script, post("/v1/tenants", &body)).await.status, 409);
    let script = knowing("same").saying("UpdateItem", [changed(&named("same"))]);
    let call = Call::new("PATCH", &path("")).saying(&json!({"external_id": "same", "metadata": null}));
    assert_eq!(answered(&script, call).await.status, 200);
    let update = script.asked("UpdateItem").remove(0);
    assert_eq!(expression(&update, "UpdateExpression"), "SET metadata = :metadata");
}

#[tokio::test(start_paused = true)]
async fn a_change_of_names_whose_answer_is_lost_is_known_by_its_mark() {
    let mut by = None;
    let lost_then_refused = move |asked: &Value| {
        let mark = asked["TransactItems"][0]["Update"]["ExpressionAttributeValues"][":changed_by"].clone();
        if by.replace(mark.clone()).is_none() {
            return Some(Said::lost());
        }
        Some(Said::cancelled(&[Ok(json!({"changed_by": mark})), Err("None")]))
    };
    let script = script().answering("TransactWriteItems", lost_then_refused);
    let call = Call::new("PATCH", &path("")).saying(&json!({"external_id": "new"}));
    assert_eq!(answered(&script, call).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_others_overtake_four_times_is_told_so() {
    let overtaken = || Said::cancelled(&[Ok(row(&named("other"))), Err("None")]);
    let script = script().saying("TransactWriteItems", repeat_with(overtaken));
    let call = Call::new("PATCH", &path("")).saying(&json!({"external_id": "new"}));
    assert_eq!(answered(&script, call).await.status, 409);
    assert_eq!(script.asked("TransactWriteItems").len(), TRIES);
}

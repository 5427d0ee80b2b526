//! What the operator is told of tenants and keys, and what is asked of AWS for it.

use std::iter::repeat_with;

use jiff::Timestamp;
use postrider_api::{Route, Routed as _, SharedCredentials, serve};
use postrider_aws::admin_key::AdminKey;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::deliveries_table::DeliveriesTable;
use postrider_aws::keyring::Keyring;
use postrider_aws::sdk;
use postrider_domain::dialect::STANDARD;
use replay::{Answer, Call, Caller, Said, Script, Visitor, expression, keyed};
use serde_json::{Value, json};

use postrider_api::document::fields_of;

use super::*;
use crate::requests::{ChangeTenant, CreateKey, CreateProviderKey, CreateTenant, PutTenant, QuotasToSet};

const ADMIN_KEY: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZab";

pub(crate) fn operator(script: &Script) -> Operator {
    let sdk = script.sdk(sdk::over);
    let config = ConfigTable::of(&sdk, "config");
    Operator {
        credentials: SharedCredentials::new(config.clone(), AdminKey::of(&sdk, "admin key", config.clone())),
        config,
        keyring: keyring(script),
        deliveries: DeliveriesTable::of(&sdk, "deliveries"),
        public_url: "https://hooks.example.com".to_owned(),
    }
}

pub(crate) fn keyring(script: &Script) -> Keyring {
    Keyring::of(&script.sdk(sdk::over), "encryption key")
}

pub(crate) fn tenant() -> Tenant {
    Caller::of_tenant(1, &STANDARD, &[]).tenant.unwrap()
}

pub(crate) fn row(tenant: &Tenant) -> Value {
    keyed(format!("TENANT#{}", tenant.id), "TENANT", tenant)
}

/// An AWS that knows the operator, how secrets are sealed, and a tenant.
pub(crate) fn script() -> Script {
    Script::default()
        .saying_about("GetSecretValue", "admin key", [Said::secret(ADMIN_KEY)])
        .saying_about("PutItem", "the admin key", [Said::done()])
        .saying_about("GetSecretValue", "encryption key", repeat_with(|| Said::secret(r#"{"current":"k1","k1":"a"}"#)))
        .holding("config", [row(&tenant())])
}

pub(crate) async fn answered(script: &Script, call: Call) -> Answer {
    let call = call.header("authorization", &format!("Bearer {ADMIN_KEY}"));
    Answer::of(&serve(&operator(script), call.event()).await)
}

pub(crate) fn path(of: &str) -> String {
    format!("/v1/tenants/{}{of}", tenant().id)
}

pub(crate) fn post(path: &str, body: &Value) -> Call {
    Call::new("POST", path).saying(body)
}

/// The writes of the one transaction that there was.
pub(crate) fn written(script: &Script) -> Vec<Value> {
    let mut transactions = script.asked("TransactWriteItems");
    assert_eq!(transactions.len(), 1);
    transactions[0]["TransactItems"].as_array_mut().unwrap().drain(..).collect()
}

#[tokio::test]
async fn a_tenant_is_put_where_it_is_found_and_where_it_is_listed() {
    let script = script().saying("TransactWriteItems", [Said::done()]);
    let answer = answered(&script, post("/v1/tenants", &json!({"name": "Acme", "plan": "pro"}))).await;
    assert_eq!((answer.status, answer.body.get("secret")), (201, None), "{answer:?}");
    let (id, writes) = (answer.body["id"].as_str().unwrap(), written(&script));
    let places: Vec<_> =
        writes.iter().map(|write| (&write["Put"]["Item"]["pk"], &write["Put"]["Item"]["sk"])).collect();
    let place = json!(format!("TENANT#{id}"));
    assert_eq!(places, [(&place, &json!("TENANT")), (&json!("TENANTS"), &place)]);
    assert!(writes.iter().all(|write| write["Put"]["ConditionExpression"] == "attribute_not_exists(pk)"));
    let secret = &writes[0]["Put"]["Item"]["secrets"][0];
    assert_eq!(secret["unseen"], true, "nobody was shown it, so no rotation keeps it");
    assert!(keyring(&script).open(id, secret["sealed"].as_str().unwrap()).await.is_ok());
}

#[tokio::test]
async fn what_cannot_be_a_tenant_writes_nothing() {
    for (body, field) in [
        (json!({"plan": "pro"}), "name"),
        (json!({"name": " ", "plan": "pro"}), "name"),
        (json!({"name": format!(" {}", "x".repeat(128)), "plan": "pro"}), "name"),
        (json!({"name": "Acme", "plan": "gold"}), "plan"),
        (json!({"name": "Acme", "plan": "pro", "status": "suspended"}), "status"),
        (json!({"name": "Acme", "plan": "pro", "external_id": "a/b"}), "external_id"),
        (json!({"name": "Acme", "plan": "pro", "external_id": null}), "external_id"),
        (json!({"name": "Acme", "plan": "pro", "metadata": {"a": 1}}), "metadata"),
        (json!({"name": "Acme", "plan": "pro", "metadata": {"a b": "1"}}), "metadata.a b"),
        (json!({"name": "Acme", "plan": "pro", "metadata": {"a": "x".repeat(513)}}), "metadata.a"),
    ] {
        let answer = answered(&script(), post("/v1/tenants", &body)).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!(field)), "{body}");
    }
}

#[tokio::test]
async fn a_key_is_shown_once_and_kept_as_its_hash_in_two_places() {
    let script = script().saying("TransactWriteItems", [Said::done()]);
    let answer = answered(&script, post(&path("/keys"), &json!({"dialect": "standard"}))).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let (id, text) = (answer.body["id"].as_str().unwrap(), answer.body["key"].as_str().unwrap());
    assert!(text.starts_with("pr_"), "{text}");
    assert_eq!(answer.body["scopes"], json!(Scope::of_a_tenant()), "neither to publish nor to report on jobs");
    let writes = written(&script);
    assert!(!json!(writes).to_string().contains(text), "it is kept by nobody");
    let places: Vec<_> = writes.iter().map(|write| &write["Put"]["Item"]["pk"]).collect();
    assert_eq!(places, [&json!(format!("KEY#{}", hash_of(text))), &row(&tenant())["pk"]]);
    assert_eq!(writes[1]["Put"]["Item"]["sk"], format!("KEY#{id}"));
    assert!(writes.iter().all(|write| write["Put"]["Item"]["tenant_id"] == tenant().id.as_str()));
}

#[tokio::test]
async fn a_provider_key_is_no_tenants() {
    let script = script().saying("TransactWriteItems", [Said::done()]);
    let answer = answered(&script, post("/v1/keys", &json!({"scopes": ["events:write"]}))).await;
    assert!(answer.status == 201 && answer.body["key"].as_str().unwrap().starts_with("prv_"), "{answer:?}");
    let writes = written(&script);
    assert_eq!(writes[1]["Put"]["Item"]["pk"], "PROVIDER");
    assert!(writes.iter().all(|write| write["Put"]["Item"].get("tenant_id").is_none()));
}

#[tokio::test]
async fn what_cannot_be_a_key_writes_nothing() {
    let of_tenant = path("/keys");
    for (path, body, status, field) in [
        (of_tenant.as_str(), json!({"dialect": "standard", "scopes": ["events:write", "admin"]}), 400, "scopes[1]"),
        (&of_tenant, json!({"dialect": "standard", "scopes": []}), 400, "scopes"),
        (&of_tenant, json!({"dialect": "klingon"}), 400, "dialect"),
        (&of_tenant, json!({}), 400, "dialect"),
        (&of_tenant, json!({"dialect": "standard", "expires_at": "2020-01-01T00:00:00Z"}), 422, "expires_at"),
        ("/v1/keys", json!({}), 400, "scopes"),
        ("/v1/keys", json!({"scopes": ["admin"]}), 400, "scopes[0]"),
        ("/v1/keys", json!({"scopes": ["jobs:read", "webhooks:read"]}), 400, "scopes[1]"),
        ("/v1/keys", json!({"scopes": ["jobs:read"], "dialect": "standard"}), 400, "dialect"),
    ] {
        let answer = answered(&script(), post(path, &body)).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (status, &json!(field)), "{body}");
    }
    let unknown = "/v1/tenants/ten_00000000000000zz/keys";
    assert_eq!(answered(&script(), post(unknown, &json!({"dialect": "standard"}))).await.status, 404);
}

#[tokio::test]
async fn a_key_that_is_revoked_is_gone_from_both_places() {
    let key = Caller::of_tenant(1, &STANDARD, &[]).key;
    let listed = keyed(format!("TENANT#{}", tenant().id), format!("KEY#{}", key.id), &key);
    let script = script().holding("config", [listed]).saying("TransactWriteItems", [Said::done()]);
    let call = Call::new("DELETE", &path(&format!("/keys/{}", key.id)));
    assert_eq!(answered(&script, call.clone()).await.status, 204);
    let keys: Vec<_> = written(&script).iter().map(|write| write["Delete"]["Key"]["pk"].clone()).collect();
    assert_eq!(keys, [json!(format!("KEY#{}", key.hash)), row(&tenant())["pk"].clone()]);
    assert_eq!(answered(&self::script(), call).await.status, 404, "one that is none");
}

#[tokio::test]
async fn a_list_goes_on_where_its_page_ended() {
    let last = json!({"pk": {"S": "TENANTS"}, "sk": {"S": format!("TENANT#{}", tenant().id)}});
    let listed = json!({"pk": "TENANTS", "sk": format!("TENANT#{}", tenant().id)});
    let page = Said::body(json!({"Items": [replay::item(&listed)], "LastEvaluatedKey": last}));
    let script = script().saying("Query", [page, Said::rows::<Value>(&[])]);
    let first = answered(&script, Call::new("GET", "/v1/tenants?limit=1")).await;
    assert_eq!(first.body["tenants"][0]["id"], tenant().id.as_str(), "{first:?}");
    assert_eq!(
        (script.asked("Query")[0]["Limit"].clone(), &first.body["pagination"]["has_more"]),
        (json!(1), &json!(true))
    );
    let cursor = first.body["pagination"]["next_cursor"].as_str().unwrap();
    // Another process has it: the admin key is read again.
    let again = Script::default()
        .saying_about("GetSecretValue", "admin key", [Said::secret(ADMIN_KEY)])
        .saying("PutItem", [Said::done()])
        .saying("Query", [Said::rows::<Value>(&[])]);
    let second = answered(&again, Call::new("GET", &format!("/v1/tenants?cursor={cursor}"))).await;
    assert_eq!(second.body, json!({"tenants": [], "pagination": {"has_more": false, "next_cursor": null}}));
    assert_eq!(again.asked("Query")[0]["ExclusiveStartKey"], listed);
}

#[tokio::test]
async fn a_change_sets_what_it_names_where_there_is_a_tenant() {
    let suspended = Tenant { status: TenantStatus::Suspended, ..tenant() };
    let changed = Said::body(json!({"Attributes": replay::item(&row(&suspended))}));
    let script = script().saying("UpdateItem", [changed]);
    let answer = answered(&script, Call::new("PATCH", &path("")).saying(&json!({"status": "suspended"}))).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("suspended")));
    let update = script.asked("UpdateItem").remove(0);
    assert_eq!(expression(&update, "UpdateExpression"), r#"SET status = "suspended""#);
    let lives = "attribute_exists(pk) AND attribute_not_exists(deleting_since)";
    assert_eq!(expression(&update, "ConditionExpression"), lives);
}

#[tokio::test]
async fn a_tenants_own_quotas_stand_before_its_plans() {
    let script = script().saying("TransactWriteItems", [Said::done()]);
    let body = json!({"name": "Acme", "plan": "free", "quotas": {"webhooks": 7, "recoveries": null}});
    let answer = answered(&script, post("/v1/tenants", &body)).await;
    let shown = json!({"webhooks": 7, "list_bytes": 4_194_304, "events_per_second": 10, "recoveries": 2});
    assert_eq!((answer.status, &answer.body["quotas"]), (201, &shown));
    let row = &written(&script)[0]["Put"]["Item"];
    assert_eq!((&row["quota_webhooks"], row.get("quota_recoveries")), (&json!(7), None));
    let stored = keyed(format!("TENANT#{}", tenant().id), "TENANT", row);
    let script = Script::default().saying_about("GetSecretValue", "admin key", [Said::secret(ADMIN_KEY)]);
    let script = script.saying("PutItem", [Said::done()]).holding("config", [stored]);
    assert_eq!(answered(&script, Call::new("GET", &path(""))).await.body["quotas"], shown);
}

#[tokio::test]
async fn a_change_of_quotas_leaves_the_others_and_null_is_the_plans() {
    let script = script().saying("UpdateItem", [Said::body(json!({"Attributes": replay::item(&row(&tenant()))}))]);
    let change = json!({"name": "Other", "quotas": {"webhooks": 9, "list_bytes": null}});
    let answer = answered(&script, Call::new("PATCH", &path("")).saying(&change)).await;
    assert_eq!((answer.status, &answer.body["quotas"]["webhooks"]), (200, &json!(200)), "as the row has it");
    let update = script.asked("UpdateItem").remove(0);
    let said = expression(&update, "UpdateExpression");
    assert!(said.contains("quota_webhooks = 9") && said.contains(r#"name = "Other""#), "{said}");
    assert!(said.ends_with("REMOVE quota_list_bytes") && !said.contains("recoveries"), "{said}");
    // Nothing is set: then it is a removal alone.
    let script =
        self::script().saying("UpdateItem", [Said::body(json!({"Attributes": replay::item(&row(&tenant()))}))]);
    let change = json!({"quotas": {"recoveries": null}});
    assert_eq!(answered(&script, Call::new("PATCH", &path("")).saying(&change)).await.status, 200);
    assert_eq!(script.asked("UpdateItem")[0]["UpdateExpression"], "REMOVE quota_recoveries");
}

#[tokio::test]
async fn what_cannot_be_a_quota_changes_nothing() {
    for (quotas, field) in [
        (json!(null), "quotas"),
        (json!([]), "quotas"),
        (json!({"webhooks": -1}), "quotas.webhooks"),
        (json!({"webhooks": 1.5}), "quotas.webhooks"),
        (json!({"webhooks": 100_001}), "quotas.webhooks"),
        (json!({"events_per_second": 0}), "quotas.events_per_second"),
        (json!({"recoveries": "2"}), "quotas.recoveries"),
        (json!({"retries": 60}), "quotas.retries"),
    ] {
        for call in [
            Call::new("PATCH", &path("")).saying(&json!({"quotas": quotas})),
            post("/v1/tenants", &json!({"name": "Acme", "plan": "pro", "quotas": quotas})),
        ] {
            let answer = answered(&script(), call).await;
            assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!(field)), "{quotas}");
        }
    }
}

fn rotate() -> Call {
    Call::new("POST", &path("/secret/rotate"))
}

#[tokio::test]
async fn a_tenants_new_secret_is_shown_once_and_replaces_what_was_read() {
    let script = script().saying("UpdateItem", [Said::done()]);
    let answer = answered(&script, rotate()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let update = script.asked("UpdateItem").remove(0);
    assert_eq!(expression(&update, "ConditionExpression"), "secrets = :before");
    let sealed = update["ExpressionAttributeValues"][":after"][0]["sealed"].as_str().unwrap();
    let opened = keyring(&script).open(tenant().id.as_str(), sealed).await.unwrap();
    assert_eq!(answer.body["secret"], opened.expose());
    assert!(!update.to_string().contains(opened.expose()));
}

#[tokio::test(start_paused = true)]
async fn a_rotation_that_others_overtake_four_times_is_told_so() {
    let refused = || Said::refused(&json!({"changed_by": "another0"}));
    let script = script().saying("UpdateItem", repeat_with(refused).take(4));
    assert_eq!(answered(&script, rotate()).await.status, 409);
    assert_eq!(script.asked("UpdateItem").len(), 4);
}

/// A call of each route, on the one tenant.
fn calls() -> impl Iterator<Item = (&'static Route<Operator>, Call)> {
    let key = KeyId::new(Timestamp::UNIX_EPOCH, 1);
    Operator::ROUTES.iter().map(move |route| {
        let own = tenant().id;
        let id = if route.method == "PUT" { "ext:customer-1" } else { own.as_str() };
        let path = route.path.replace("{id}", id).replace("{key_id}", key.as_str());
        let path = path.replace("{session_id}", "ses_0000000000000001");
        (route, Call::new(route.method, &path))
    })
}

#[tokio::test]
async fn nearly_every_route_is_the_operators_or_his_services_alone() {
    let customer = Caller::of_tenant(1, &STANDARD, &Scope::of_a_tenant());
    let is_theirs = |route: &Route<Operator>| !matches!(route.access, TenantsAccess::Visitor | TenantsAccess::Anybody);
    for (_, call) in calls().filter(|(route, _)| is_theirs(route)) {
        let answered =
            async |script: &Script, call: Call| Answer::of(&serve(&operator(script), call.event()).await).status;
        assert_eq!(answered(&Script::default(), call.clone()).await, 401, "{call:?}");
        let known = Script::default().holding("config", customer.rows());
        assert_eq!(answered(&known, call.clone().by(&customer)).await, 403, "{call:?}");
        let unknown = Script::default().holding("config", []);
        assert_eq!(answered(&unknown, call.clone().by(&customer)).await, 401, "{call:?}");
        let wrong = format!("Bearer {}", ADMIN_KEY.to_lowercase());
        assert_eq!(answered(&script(), call.clone().header("authorization", &wrong)).await, 401, "{call:?}");
    }
}

#[tokio::test]
async fn a_query_that_no_route_knows_is_refused_and_nothing_is_written() {
    let visitor = Visitor::of(&Caller::of_tenant(1, &STANDARD, &[]), &[]);
    for (route, call) in calls() {
        let call = call.saying(&json!({"name": "Acme", "plan": "pro"})).query("dry_run=true");
        let answer = match route.access {
            TenantsAccess::Visitor => {
                let known = Script::default().holding("config", visitor.rows());
                Answer::of(&serve(&operator(&known), call.clone().in_session(&visitor).event()).await)
            }
            _ => answered(&script(), call.clone()).await,
        };
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!("dry_run")), "{call:?}");
    }
}

#[tokio::test]
async fn the_document_has_the_fields_that_are_read() {
    async fn told(call: Call) -> Vec<String> {
        let answer = answered(&script(), call).await;
        let expected = answer.body["error"]["details"]["expected"].as_str().unwrap().to_owned();
        let mut names: Vec<_> =
            expected.strip_prefix("only the fields ").expect(&expected).split(", ").map(str::to_owned).collect();
        names.sort();
        names
    }
    let created = told(post("/v1/tenants", &json!({"name": "Acme", "plan": "pro", "?": 1}))).await;
    assert_eq!(created, fields_of::<CreateTenant>());
    let changed = Call::new("PATCH", &path("")).saying(&json!({"?": 1}));
    assert_eq!(told(changed).await, fields_of::<ChangeTenant>());
    let put = Call::new("PUT", "/v1/tenants/ext:customer-1").saying(&json!({"name": "Acme", "plan": "pro", "?": 1}));
    assert_eq!(told(put).await, fields_of::<PutTenant>());
    let quotas = Call::new("PATCH", &path("")).saying(&json!({"quotas": {"?": 1}}));
    assert_eq!(told(quotas).await, fields_of::<QuotasToSet>());
    let key = told(post(&path("/keys"), &json!({"dialect": "standard", "?": 1}))).await;
    assert_eq!(key, fields_of::<CreateKey>());
    let provider_key = told(post("/v1/keys", &json!({"scopes": ["events:write"], "?": 1}))).await;
    assert_eq!(provider_key, fields_of::<CreateProviderKey>());
}

/// An AWS that is asked for the admin key by several callers.
fn script_of_many() -> Script {
    script().saying_about("GetSecretValue", "admin key", repeat_with(|| Said::secret(ADMIN_KEY))).saying_about(
        "PutItem",
        "the admin key",
        repeat_with(Said::done),
    )
}

/// The same key and body again: nothing is made, and a key is shown that nobody was shown before.
#[tokio::test]
async fn a_creation_that_comes_again_under_its_key_is_answered_the_same() {
    for (path, body, other) in [
        ("/v1/tenants".to_owned(), json!({"name": "Acme", "plan": "pro"}), json!({"name": "Acme", "plan": "free"})),
        (path("/keys"), json!({"dialect": "standard"}), json!({"dialect": "standard", "name": "CI"})),
        ("/v1/keys".to_owned(), json!({"scopes": ["events:write"]}), json!({"scopes": ["jobs:report"]})),
    ] {
        let first = script().saying("TransactWriteItems", [Said::done()]);
        let call = |body: &Value| post(&path, body).header("idempotency-key", "acme-1");
        let made = answered(&first, call(&body)).await;
        assert_eq!(made.status, 201, "{path} {made:?}");
        let writes = first.asked("TransactWriteItems")[0]["TransactItems"].as_array().unwrap().clone();
        assert_eq!(writes.len(), 3, "what it makes has two rows, and the call one");
        let row = writes[2]["Put"]["Item"].clone();
        assert_eq!(row["pk"], "CALLS#operator");
        let text = made.body["key"].as_str().unwrap_or("no key");
        assert!(!row.to_string().contains(text) && !row.to_string().contains("acme-1"), "{row}");
        let second = script_of_many().holding("config", [row.clone()]);
        let again = answered(&second, call(&body)).await;
        assert_eq!((again.status, &again.body), (201, &made.body), "{path}");
        let conflict = answered(&second, call(&other)).await;
        assert_eq!((conflict.status, &conflict.body["error"]["code"]), (409, &json!("conflict")), "{path}");
        // Somebody was faster between the look and the write.
        let digest = row["sk"].as_str().unwrap().to_owned();
        let refused = Said::cancelled(&[Err("None"), Err("None"), Ok(row.clone())]);
        let slower = Script::default()
            .saying_about("GetItem", digest, [Said::done(), Said::row(&row)])
            .saying_about("GetSecretValue", "admin key", [Said::secret(ADMIN_KEY)])
            .saying_about("PutItem", "the admin key", [Said::done()])
            .saying("GetSecretValue", repeat_with(|| Said::secret(r#"{"current":"k1","k1":"a"}"#)))
            .holding("config", [self::row(&tenant())])
            .saying("TransactWriteItems", [refused]);
        assert_eq!(answered(&slower, call(&body)).await.body, made.body, "{path}");
    }
}

#[tokio::test]
async fn a_key_of_one_tenants_is_none_of_anothers() {
    let other = Caller::of_tenant(2, &STANDARD, &[]).tenant.unwrap();
    let call = |id: &TenantId| {
        post(&format!("/v1/tenants/{id}/keys"), &json!({"dialect": "standard"})).header("idempotency-key", "k")
    };
    let script =
        script_of_many().holding("config", [row(&other)]).saying("TransactWriteItems", repeat_with(Said::done));
    for id in [&tenant().id, &other.id] {
        assert_eq!(answered(&script, call(id)).await.status, 201);
    }
    let places: Vec<_> = script
        .asked("TransactWriteItems")
        .iter()
        .map(|asked| asked["TransactItems"][2]["Put"]["Item"]["sk"].clone())
        .collect();
    assert_ne!(places[0], places[1]);
}

/// Whether another has the name is told from whether the same call was faster: only the latter is answered as that was.
#[tokio::test]
async fn a_named_tenants_creation_that_comes_again_is_no_other_tenants() {
    let body = json!({"name": "Acme", "plan": "pro", "external_id": "customer-1", "secret": "whsec_1234567890123456"});
    let call = |body: &Value| post("/v1/tenants", body).header("idempotency-key", "acme-1");
    let first = script().saying("TransactWriteItems", [Said::done()]);
    let made = answered(&first, call(&body)).await;
    assert_eq!((made.status, &made.body["external_id"]), (201, &json!("customer-1")), "{made:?}");
    let writes: Vec<Value> = written(&first).iter().map(|write| write["Put"]["Item"].clone()).collect();
    assert_eq!(writes.len(), 4, "the tenant, its place in the list, its claim, and the call: {writes:?}");
    assert_eq!(writes[0]["secrets"][0].get("unseen"), None, "its provider knows it: a rotation keeps it for its grace");
    let (claim, remembered) = (&writes[2], &writes[3]);
    assert_eq!((&claim["pk"], &remembered["pk"]), (&json!("EXTERNAL#customer-1"), &json!("CALLS#operator")));
    for field in ["secret", "external_id"] {
        let other =
            [(field, json!("whsec_6543210987654321"))].into_iter().fold(body.clone(), |mut body, (name, value)| {
                body[name] = value;
                body
            });
        let script = script_of_many().holding("config", [remembered.clone()]);
        let answer = answered(&script, call(&other)).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (409, &json!("conflict")), "another {field}");
    }
    let refused =
        |by_call: Result<Value, &'static str>| Said::cancelled(&[Err("None"), Err("None"), Ok(claim.clone()), by_call]);
    let digest = remembered["sk"].as_str().unwrap();
    let slower = |there: [Said; 2], refusal: Said| {
        let found = Script::default().saying_about("GetItem", digest.to_owned(), there);
        found.also(script_of_many()).saying("TransactWriteItems", [refusal])
    };
    let same = slower([Said::done(), Said::row(remembered)], refused(Ok(remembered.clone())));
    let answer = answered(&same, call(&body)).await;
    assert_eq!((answer.status, &answer.body), (201, &made.body));
    let another = slower([Said::done(), Said::done()], refused(Err("None")));
    let answer = answered(&another, call(&body)).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (409, &json!("conflict")));
    assert!(answer.body["error"]["message"].as_str().unwrap().contains("external_id"), "{answer:?}");
}

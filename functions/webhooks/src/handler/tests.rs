//! What an owner is told of his webhooks, and what is asked of AWS for it.

use std::iter::repeat_with;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use postrider_api::{Access as _, Route, Routed as _, serve};
use postrider_aws::events_table::EventsTable;
use postrider_aws::queue::Queue;
use postrider_aws::sdk;
use postrider_domain::catalogue::{About, CataloguedType, Openness};
use postrider_domain::dialect::{NUR, STANDARD};
use postrider_domain::egress::{Egress, PrivateTargets};
use postrider_domain::id::TenantId;
use postrider_domain::key::Scope;
use postrider_domain::stored_secret::secrets_at;
use replay::{Answer, Call, Caller as Someone, Said, Script, assert_scope, expression, keyed, sample};
use serde_json::{Value, json};

use super::*;

mod filters;
mod own_headers;
mod preview;
mod repeated;
mod told;
mod trial;
mod verified;
mod visitors;

const RETENTION: Retention = Retention { seconds: 90 * 86_400 };
/// A type that wants an `amount`, with an example, as the catalogue has it.
fn typed(name: &str) -> Value {
    let (schema, example) = (r#"{"required":["amount"]}"#.to_owned(), r#"{"amount":5}"#.to_owned());
    let about = About { schema: Some(schema), example: Some(example), ..About::default() };
    let one = CataloguedType::new(name.parse().unwrap(), about, None, Timestamp::UNIX_EPOCH);
    keyed("EVENT_TYPES", format!("TYPE#{name}"), &one)
}

/// The same handler where the deployment's types are closed.
fn closed(script: &Script) -> Webhooks {
    let config = ConfigTable::of(&script.sdk(sdk::over), "config");
    Webhooks { catalogue: Catalogue::new(config, Openness::Closed), ..webhooks(script) }
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn webhooks(script: &Script) -> Webhooks {
    let sdk = script.sdk(sdk::over);
    let config = ConfigTable::of(&sdk, "config");
    let look_up = |name: String| {
        let address = if name == "inside.example" { [10, 0, 0, 1] } else { [93, 184, 215, 14] };
        std::future::ready(Ok(vec![IpAddr::from(address)]))
    };
    Webhooks {
        credentials: Credentials::new(config.clone()),
        config,
        events: EventsTable::of(&sdk, "events"),
        catalogue: Catalogue::new(ConfigTable::of(&sdk, "config"), Openness::Open),
        keyring: Arc::new(keyring(script)),
        composer: Composer::of(Arc::new(keyring(script)), None),
        teller: Teller::of(EventsTable::of(&sdk, "events"), RETENTION),
        resolver: Resolver::asking(Egress::new(PrivateTargets::Refuse), Arc::new(move |name| Box::pin(look_up(name)))),
        retry_queue: Queue::at(&sdk, "retry"),
        used_up: UsedUp::default(),
        retention: RETENTION,
    }
}

fn keyring(script: &Script) -> Keyring {
    Keyring::of(&script.sdk(sdk::over), "encryption key")
}

fn owner() -> Someone {
    Someone::of_tenant(1, &STANDARD, &Scope::of_a_tenant())
}

/// An AWS that knows the owner, these webhooks of his, and how secrets are sealed.
fn script(endpoints: &[Endpoint]) -> Script {
    Script::default()
        .holding("config", owner().rows())
        .holding("config", endpoints.iter().map(row))
        .holding("config", [keyed(format!("TENANT#{}", owner().tenant_id()), "WEBHOOKS", &counted(endpoints.len()))])
        .saying("GetSecretValue", repeat_with(|| Said::secret(r#"{"current":"k1","k1":"some generated text"}"#)))
}

/// That so many webhooks were counted just now, with more than they take of the list.
fn counted(webhooks: usize) -> Value {
    json!({"webhooks": webhooks, "list_bytes": webhooks * 1000, "moves": webhooks, "counted_at": clock::now().as_second()})
}

fn row(endpoint: &Endpoint) -> Value {
    keyed(format!("TENANT#{}", endpoint.tenant_id), format!("WEBHOOK#{}", endpoint.id), endpoint)
}

fn endpoint() -> Endpoint {
    Endpoint {
        events: vec!["invoice.paid".parse().unwrap()],
        secrets: vec![StoredSecret::new("k1.old".to_owned())],
        revision: 3,
        ..sample::endpoint(owner().tenant_id())
    }
}

fn path() -> String {
    format!("/v1/webhooks/{}", endpoint().id)
}

async fn answered(script: &Script, call: Call) -> Answer {
    Answer::of(&serve(&webhooks(script), call.event()).await)
}

fn create(body: &Value) -> Call {
    Call::new("POST", "/v1/webhooks/create").by(&owner()).saying(body)
}

fn overtaken(times: usize) -> impl Iterator<Item = Said> {
    repeat_with(|| Said::cancelled(&[Ok(json!({"changed_by": "another0"}))])).take(times)
}

/// The writes of the one transaction that there was.
fn written(script: &Script) -> Vec<Value> {
    let mut transactions = script.asked("TransactWriteItems");
    assert_eq!(transactions.len(), 1);
    transactions[0]["TransactItems"].as_array_mut().unwrap().drain(..).collect()
}

#[tokio::test]
async fn a_webhook_is_put_with_its_subscriptions_and_a_sealed_secret_that_is_shown_once() {
    let script = script(&[]).saying("TransactWriteItems", [Said::done()]);
    let events = ["invoice.paid", "voice.*", "invoice.paid"];
    let answer = answered(&script, create(&json!({"url": "https://hooks.example/", "events": events}))).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let (id, shown) = (answer.body["id"].as_str().unwrap(), answer.body["secret"].as_str().unwrap());
    let writes = written(&script);
    assert_eq!(
        writes.len(),
        5,
        "the webhook, a subscription for each event type, what is told, and the count of webhooks"
    );
    let (put, item) = (&writes[0]["Put"], &writes[0]["Put"]["Item"]);
    assert_eq!(put["ConditionExpression"], "attribute_not_exists(pk)");
    assert_eq!(
        (&item["pk"], &item["sk"]),
        (&json!(format!("TENANT#{}", owner().tenant_id())), &json!(format!("WEBHOOK#{id}")))
    );
    let sealed = item["secrets"][0]["sealed"].as_str().unwrap();
    let opened = keyring(&script).open(&format!("{}/{id}", owner().tenant_id()), sealed).await.unwrap();
    assert_eq!(opened.expose(), shown);
    assert!(!json!(writes).to_string().contains(shown), "nowhere else");
    for (write, pattern) in writes[1..3].iter().zip(["invoice.paid", "voice.*"]) {
        let item = &write["Put"]["Item"];
        assert_eq!(item["pk"], format!("SUBSCRIPTION#{}#{pattern}", owner().tenant_id()));
        assert_eq!(item["sk"], id);
    }
}

#[tokio::test]
async fn a_secret_that_its_owner_gave_is_kept_and_not_shown() {
    let script = script(&[]).saying("TransactWriteItems", [Said::done()]);
    let body = json!({"url": "https://hooks.example/", "events": ["*"], "secret": SECRET});
    let answer = answered(&script, create(&body)).await;
    assert_eq!((answer.status, answer.body.get("secret")), (201, None));
    let item = written(&script)[0]["Put"]["Item"].clone();
    let (id, sealed) = (item["id"].as_str().unwrap(), item["secrets"][0]["sealed"].as_str().unwrap());
    let opened = keyring(&script).open(&format!("{}/{id}", owner().tenant_id()), sealed).await.unwrap();
    assert_eq!(opened.expose(), SECRET);
}

#[tokio::test]
async fn where_a_dialect_signs_nothing_of_itself_no_secret_is_made() {
    let nurs = Someone::of_tenant(1, &NUR, &Scope::of_a_tenant());
    let counted = keyed(format!("TENANT#{}", nurs.tenant_id()), "WEBHOOKS", &counted(0));
    let script = Script::default().holding("config", nurs.rows()).holding("config", [counted]);
    let script = script.saying("TransactWriteItems", [Said::done()]);
    let body = json!({"url": "https://hooks.example/", "events": ["dubbing.completed"]});
    let call = Call::new("POST", "/v1/webhooks/create").by(&nurs).saying(&body);
    let answer = answered(&script, call).await;
    assert_eq!((answer.status, answer.body.get("secret")), (201, None));
    assert_eq!(written(&script)[0]["Put"]["Item"].get("secrets"), None);
}

#[tokio::test]
async fn what_cannot_be_a_webhook_writes_nothing() {
    let (url, events) = ("https://hooks.example/", json!(["*"]));
    for (body, field) in [
        (json!({"events": events}), "url"),
        (json!({"url": "http://hooks.example/", "events": events}), "url"),
        (json!({"url": "https://10.0.0.1/", "events": events}), "url"),
        (json!({"url": "https://inside.example/", "events": events}), "url"),
        (json!({"url": url}), "events"),
        (json!({"url": url, "events": []}), "events"),
        (json!({"url": url, "events": ["*", "no type"]}), "events[1]"),
        (json!({"url": url, "events": events, "secret": null}), "secret"),
        (json!({"url": url, "events": events, "secret": "short"}), "secret"),
        (json!({"url": url, "events": events, "timeout_seconds": 31}), "timeout_seconds"),
        (json!({"url": url, "events": events, "event": "*"}), "event"),
    ] {
        let answer = answered(&script(&[]), create(&body)).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!(field)), "{body}");
    }
    let outlasts = json!({"url": url, "events": events, "retry_schedule": vec![7 * 86_400; 13]});
    assert_eq!(answered(&script(&[]), create(&outlasts)).await.status, 422);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_others_overtake_four_times_is_told_so() {
    let change = Call::new("PATCH", &path()).by(&owner()).saying(&json!({"description": "mine"}));
    let script = script(&[endpoint()]).saying("TransactWriteItems", overtaken(4));
    let answer = answered(&script, change).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (409, &json!("conflict")));
    assert_eq!(script.asked("TransactWriteItems").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_overtaken_is_made_again_of_what_stands_there() {
    let theirs = Endpoint { revision: 4, timeout_seconds: Some(9), ..endpoint() };
    let script = Script::default()
        .saying_about("GetItem", format!("WEBHOOK#{}", endpoint().id), [Said::row(&endpoint()), Said::row(&theirs)])
        .holding("config", owner().rows())
        .holding("config", [keyed(format!("TENANT#{}", owner().tenant_id()), "WEBHOOKS", &counted(1))])
        .saying("TransactWriteItems", overtaken(1).chain([Said::done()]));
    let change = json!({"description": "mine", "events": ["invoice.paid", "invoice.sent"]});
    let answer = answered(&script, Call::new("PATCH", &path()).by(&owner()).saying(&change)).await;
    assert_eq!(
        (answer.status, &answer.body["description"], &answer.body["timeout_seconds"]),
        (200, &json!("mine"), &json!(9))
    );
    let second = &script.asked("TransactWriteItems")[1]["TransactItems"];
    let condition = expression(&second[0]["Put"], "ConditionExpression");
    assert_eq!(condition, "revision = 4 AND attribute_not_exists(deleted_at)");
    assert_eq!(
        (&second[0]["Put"]["Item"]["revision"], &second[0]["Put"]["Item"]["timeout_seconds"]),
        (&json!(5), &json!(9))
    );
    let subscribed = &second[1]["Put"]["Item"]["pk"];
    assert_eq!(subscribed, &format!("SUBSCRIPTION#{}#invoice.sent", owner().tenant_id()));
    let count = second.as_array().unwrap().len();
    assert_eq!(count, 4, "what it asked for before it goes on asking for; what is told, and the count");
}

#[tokio::test]
async fn a_deleted_webhook_loses_its_secrets_and_its_subscriptions_end() {
    let script = script(&[endpoint()]).saying("TransactWriteItems", [Said::done()]);
    let answer = answered(&script, Call::new("DELETE", &path()).by(&owner())).await;
    assert_eq!((answer.status, answer.body), (204, Value::Null));
    let writes = written(&script);
    let change = expression(&writes[0]["Update"], "UpdateExpression");
    assert!(
        change.starts_with("SET deleted_at = ")
            && change.ends_with("REMOVE secrets, sealed_headers, headers, metadata, counted_bytes"),
        "{change}"
    );
    let condition = expression(&writes[0]["Update"], "ConditionExpression");
    assert_eq!(condition, "revision = 3 AND attribute_not_exists(deleted_at)");
    assert_eq!(writes[1]["Update"]["Key"]["pk"], format!("SUBSCRIPTION#{}#invoice.paid", owner().tenant_id()));
    let given_back = format!("ADD webhooks -1, list_bytes -{}, moves 1", endpoint().counted());
    assert_eq!(expression(&writes[3]["Update"], "UpdateExpression"), given_back);
}

#[tokio::test]
async fn a_webhook_beyond_the_quota_is_refused_with_what_would_help() {
    let full = keyed(format!("TENANT#{}", owner().tenant_id()), "WEBHOOKS", &counted(200));
    let script = Script::default().holding("config", owner().rows()).holding("config", [full]);
    let script = script.saying("GetSecretValue", [Said::secret(r#"{"current":"k1","k1":"some generated text"}"#)]);
    let answer = answered(&script, create(&json!({"url": "https://hooks.example/", "events": ["*"]}))).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (429, &json!("quota_exceeded")), "{answer:?}");
    assert_eq!(answer.body["error"]["details"], json!({"quota": {"name": "webhooks", "limit": 200}}));
    assert!(answer.body["error"]["message"].as_str().unwrap().contains("200 webhooks; delete one"), "{answer:?}");
}

#[tokio::test]
async fn a_webhook_of_before_keeps_a_pattern_more_than_a_new_one_may_have() {
    let types = |count: usize| (0..count).map(|n| format!("type.n{n}")).collect::<Vec<_>>();
    let patterns = types(49).iter().map(|name| name.parse().unwrap()).collect();
    let of_before = Endpoint { events: patterns, ..endpoint() };
    let script = script(std::slice::from_ref(&of_before))
        .saying("TransactWriteItems", [Said::done(), Said::done(), Said::done()])
        .saying("PutItem", [Said::done()]);
    let change = |body: Value| Call::new("PATCH", &path()).by(&owner()).saying(&body);
    for call in
        [change(json!({"events": types(49)})), create(&json!({"url": "https://a.example/", "events": types(49)}))]
    {
        let answer = answered(&script, call).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!("events")), "{answer:?}");
    }
    assert_eq!(answered(&script, change(json!({"description": "mine"}))).await.status, 200);
    // All that it asked for ends, and all that it asks for begins, at another URL.
    let others: Vec<_> = types(48).iter().map(|name| format!("other.{name}")).collect();
    assert_eq!(answered(&script, change(json!({"events": others, "url": "https://a.example/"}))).await.status, 200);
    assert_eq!(answered(&script, Call::new("DELETE", &path()).by(&owner())).await.status, 204);
    let sizes = script.asked("TransactWriteItems");
    let sizes: Vec<_> = sizes.iter().map(|asked| asked["TransactItems"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [2, 100, 52], "no transaction takes more than a hundred");
    let told = &script.asked("PutItem")[0];
    assert_eq!(
        (&told["TableName"], &told["Item"]["event"]),
        (&json!("events"), &json!("webhook.updated")),
        "afterwards"
    );
}

#[tokio::test]
async fn a_webhook_that_nobody_can_read_can_be_deleted_by_its_key() {
    let mut unreadable = row(&endpoint());
    unreadable["dialect"] = json!("klingon");
    let script = script(&[]).holding("config", [unreadable]).saying("TransactWriteItems", [Said::done()]);
    assert_eq!(answered(&script, Call::new("DELETE", &path()).by(&owner())).await.status, 204);
    let put = written(&script)[0]["Put"].clone();
    assert_eq!((&put["Item"]["sk"], &put["Item"]["dialect"]), (&row(&endpoint())["sk"], &json!("standard")));
    assert!(put["Item"]["deleted_at"].is_string() && put["Item"].get("secrets").is_none(), "{put}");
    assert_eq!(expression(&put, "ConditionExpression"), "attribute_not_exists(deleted_at) AND revision = 3");
}

#[tokio::test]
async fn a_new_secret_is_shown_once_and_the_old_one_counts_until_the_grace_ends() {
    let script = script(&[endpoint()]).saying("TransactWriteItems", [Said::done()]);
    let rotate = Call::new("POST", &format!("{}/secret/rotate", path())).by(&owner());
    let answer = answered(&script, rotate.saying(&json!({"grace_seconds": 60}))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let item = written(&script)[0]["Put"]["Item"].clone();
    let after: Endpoint = serde_json::from_value(item).unwrap();
    let opened = keyring(&script).open(&after.secret_owner(), &after.secrets[0].sealed).await.unwrap();
    assert_eq!(answer.body["secret"], opened.expose());
    assert_eq!((after.secrets[0].until, after.secrets[1].sealed.as_str()), (None, "k1.old"));
    assert_eq!(answer.body["previous_secret_until"], json!(after.secrets[1])["until"]);
}

#[tokio::test]
async fn while_four_secrets_count_there_is_no_fifth() {
    let later = clock::now() + jiff::SignedDuration::from_hours(1);
    let until = |until| StoredSecret { until, ..StoredSecret::new("k1.old".to_owned()) };
    let full = Endpoint { secrets: [None, Some(later), Some(later), Some(later)].map(until).into(), ..endpoint() };
    assert_eq!(secrets_at(&full.secrets, clock::now()).count(), 4);
    let rotate = Call::new("POST", &format!("{}/secret/rotate", path())).by(&owner());
    assert_eq!(answered(&script(&[full]), rotate).await.status, 409, "and nothing is written");
}

#[tokio::test]
async fn no_secret_is_ever_shown_again() {
    let script = script(&[endpoint()]).saying("Query", repeat_with(|| Said::rows(&[row(&endpoint())])));
    for path in [path(), "/v1/webhooks".to_owned(), "/v1/webhooks?limit=1".to_owned()] {
        let answer = answered(&script, Call::new("GET", &path).by(&owner())).await;
        let text = answer.body.to_string();
        assert!(answer.status == 200 && text.contains("https://hooks.example/") && !text.contains("k1.old"), "{text}");
    }
}

#[tokio::test]
async fn a_custom_domain_may_put_something_before_the_path() {
    let script = script(&[endpoint()]);
    let values = json!({"id": endpoint().id});
    for before in ["", "/prod", "/hooks/of/ours"] {
        let call = Call::new("GET", &path()).by(&owner()).behind(before, "ANY /v1/webhooks/{id}", &values);
        let answer = answered(&script, call).await;
        assert_eq!((answer.status, &answer.body["id"]), (200, &json!(endpoint().id)), "behind {before:?}");
        let nowhere = Call::new("GET", "/v1/nothing").by(&owner()).behind(before, "$default", &Value::Null);
        assert_eq!(answered(&script, nowhere).await.status, 404);
    }
}

/// A call of each route, on the one webhook.
fn calls() -> impl Iterator<Item = (&'static Route<Webhooks>, Call)> {
    Webhooks::ROUTES.iter().map(|route| {
        let path = route.path.replace("{id}", endpoint().id.as_str());
        (route, Call::new(route.method, &path))
    })
}

#[tokio::test]
async fn every_route_wants_a_key_with_its_scope() {
    for (route, call) in calls() {
        assert_scope(route.access.scope(), &call, answered).await;
    }
}

#[tokio::test]
async fn another_tenants_webhook_is_none() {
    let another = Endpoint { tenant_id: TenantId::new(Timestamp::UNIX_EPOCH, 2), ..endpoint() };
    for (_, call) in calls().filter(|(route, _)| route.path.contains("{id}")) {
        let script = script(std::slice::from_ref(&another));
        let answer = answered(&script, call.clone().by(&owner()).saying(&json!({}))).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (404, &json!("not_found")), "{call:?}");
    }
}

#[tokio::test]
async fn a_query_that_no_route_knows_is_refused_and_nothing_is_written() {
    let body = json!({"url": "https://hooks.example/", "events": ["*"]});
    for (_, call) in calls() {
        let call = call.by(&owner()).saying(&body).query("dry_run=true");
        let answer = answered(&script(&[endpoint()]), call.clone()).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!("dry_run")), "{call:?}");
    }
}

#[tokio::test]
async fn a_webhooks_dialect_is_told_to_whoever_is_of_another_one() {
    for (dialect, told) in [(&STANDARD, Value::Null), (&NUR, json!("standard"))] {
        let caller = Someone::of_tenant(1, dialect, &Scope::of_a_tenant());
        let script = Script::default().holding("config", caller.rows()).holding("config", [row(&endpoint())]);
        let answer = answered(&script, Call::new("GET", &path()).by(&caller)).await;
        assert_eq!((answer.status, &answer.body["dialect"]), (200, &told), "{}", dialect.name);
    }
}

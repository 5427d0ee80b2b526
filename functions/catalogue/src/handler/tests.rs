//! What is told of event types, to whom, and what is asked of AWS for it.

use std::iter::repeat_with;

use jiff::Timestamp;
use postrider_api::{Access as _, serve};
use postrider_aws::admin_key::AdminKey;
use postrider_aws::sdk;
use postrider_domain::catalogue::MAX_TYPES;
use postrider_domain::dialect::STANDARD;
use replay::{Answer, Call, Caller, Said, Script, expression, keyed};
use serde_json::{Value, json};

use super::*;

const ADMIN_KEY: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZab";
const SCHEMA: &str = r#"{ "type": "object", "required": ["amount"], "properties": {"amount": {"type": "integer"}} }"#;

fn event_types(script: &Script) -> EventTypes {
    let sdk = script.sdk(sdk::over);
    let config = ConfigTable::of(&sdk, "config");
    let credentials = SharedCredentials::new(config.clone(), AdminKey::unnoted(&sdk, "admin key"));
    EventTypes { credentials, config, keyring: Keyring::of(&sdk, "encryption key") }
}

fn provider() -> Caller {
    Caller::of_provider(&[Scope::EventTypesWrite])
}

fn tenant() -> Caller {
    Caller::of_tenant(1, &STANDARD, &[])
}

fn about(schema: Option<&str>, example: Option<&str>) -> About {
    About { schema: schema.map(str::to_owned), example: example.map(str::to_owned), ..About::default() }
}

fn made(name: &str, about: About) -> CataloguedType {
    CataloguedType::new(name.parse().unwrap(), about, None, Timestamp::UNIX_EPOCH)
}

fn paid() -> CataloguedType {
    made("invoice.paid", about(Some(SCHEMA), Some(r#"{"amount": 5}"#)))
}

fn row(one: &CataloguedType) -> Value {
    keyed("EVENT_TYPES", format!("TYPE#{}", one.name), one)
}

/// An AWS with these types, which knows the operator, the provider and a tenant.
fn script(types: &[CataloguedType]) -> Script {
    Script::default()
        .saying("GetSecretValue", [Said::secret(ADMIN_KEY)])
        .holding("config", types.iter().map(row))
        .holding("config", provider().rows())
        .holding("config", tenant().rows())
}

async fn answered(script: &Script, call: Call) -> Answer {
    Answer::of(&serve(&event_types(script), call.event()).await)
}

fn call(method: &str, path: &str, body: Option<&Value>) -> Call {
    let call = Call::new(method, path).by(&provider());
    match body {
        Some(body) => call.saying(body),
        None => call,
    }
}

fn create(body: &Value) -> Call {
    call("POST", "/v1/event-types", Some(body))
}

fn change(body: &Value) -> Call {
    call("PATCH", "/v1/event-types/invoice.paid", Some(body))
}

fn field(answer: &Answer) -> (u64, &str) {
    (answer.status, answer.body["error"]["details"]["field"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_type_is_kept_letter_for_letter_and_shown_so() {
    let script = script(&[]).saying("TransactWriteItems", [Said::done()]);
    let schema = RawValue::from_string(SCHEMA.to_owned()).unwrap();
    let body =
        json!({"name": "invoice.paid", "description": "It was paid.", "schema": schema, "example": {"amount": 1}});
    // As it was written, with its blanks.
    let text = body.to_string().replace(&serde_json::from_str::<Value>(SCHEMA).unwrap().to_string(), SCHEMA);
    let call =
        Call::new("POST", "/v1/event-types").by(&provider()).header("content-type", "application/json").body(&text);
    let answer = Answer::of(&serve(&event_types(&script), call.event()).await);
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!((&answer.body["name"], &answer.body["built_in"]), (&json!("invoice.paid"), &json!(false)));
    assert_eq!((&answer.body["example"], &answer.body["deprecated"]), (&json!({"amount": 1}), &json!(false)));
    let put = script.asked("TransactWriteItems").remove(0)["TransactItems"][0]["Put"]["Item"].clone();
    assert_eq!(put["standings"]["now"]["schema"], SCHEMA);
    let found = self::script(&[paid()]);
    let shown = serve(&event_types(&found), self::call("GET", "/v1/event-types/invoice.paid", None).event()).await;
    let shown = serde_json::to_value(&shown).unwrap()["body"].as_str().unwrap().to_owned();
    assert!(shown.contains(SCHEMA) && shown.contains(r#"{"amount": 5}"#), "{shown}");
}

#[tokio::test]
async fn what_is_no_type_is_not_kept() {
    let long = "x".repeat(40_000);
    for (body, expected) in [
        (json!({}), (400, "name")),
        (json!({"name": "a..b"}), (400, "name")),
        (json!({"name": "webhook.mine"}), (400, "name")),
        (json!({"name": "import"}), (400, "name")),
        (json!({"name": "a", "schema": {"type": "int"}}), (400, "schema")),
        (json!({"name": "a", "schema": null}), (400, "schema")),
        (json!({"name": "a", "schema": {"title": long}}), (400, "schema")),
        (json!({"name": "a", "schema": {"$ref": "https://elsewhere.example/"}}), (400, "schema")),
        (json!({"name": "a", "schema": {"pattern": "(?=a)"}}), (400, "schema")),
        (json!({"name": "a", "example": [1]}), (400, "example")),
        (json!({"name": "a", "example": {"a": long}}), (400, "example")),
        (json!({"name": "a", "schema": {"required": ["b"]}, "example": {}}), (422, "example")),
        (json!({"name": "a", "description": 1}), (400, "description")),
        (json!({"name": "a", "description": "x".repeat(2001)}), (400, "description")),
        (json!({"name": "a", "deprecated": "yes"}), (400, "deprecated")),
        (json!({"name": "a", "title": "x"}), (400, "title")),
    ] {
        let answer = answered(&script(&[]), create(&body)).await;
        assert_eq!(field(&answer), expected, "{:.100}", body.to_string());
    }
    let answer = answered(&script(&[]), create(&json!({"name": "a", "schema": {"items": {"type": 7}}}))).await;
    assert_eq!(answer.body["error"]["details"]["errors"][0]["path"], "/items/type");
}

#[tokio::test]
async fn a_name_that_is_taken_is_a_conflict_and_a_deleted_ones_is_free_again() {
    let body = json!({"name": "invoice.paid"});
    assert_eq!(answered(&script(&[paid()]), create(&body)).await.status, 409);
    let gone = paid().deleted(Timestamp::UNIX_EPOCH);
    let script = script(&[gone]).saying("TransactWriteItems", [Said::done()]);
    assert_eq!(answered(&script, create(&body)).await.status, 201);
    let put = script.asked("TransactWriteItems").remove(0)["TransactItems"][0]["Put"].clone();
    assert_eq!(expression(&put, "ConditionExpression"), "revision = 1");
    let lost_race = self::script(&[]).saying(
        "TransactWriteItems",
        repeat_with(|| Said::cancelled(&[Ok(json!({"changed_by": "another"})), Err("None")])),
    );
    assert_eq!(answered(&lost_race, create(&body)).await.status, 409);
}

#[tokio::test]
async fn there_are_so_many_types_and_no_more() {
    let refused = || Said::cancelled(&[Err("None"), Ok(json!({"event_types": MAX_TYPES}))]);
    let script = script(&[]).saying("TransactWriteItems", repeat_with(refused));
    let answer = answered(&script, create(&json!({"name": "a"}))).await;
    assert_eq!((answer.status, answer.body["error"]["message"].as_str().unwrap().contains("1000")), (422, true));
}

#[tokio::test]
async fn a_change_says_what_it_names_and_null_takes_it_away() {
    for (body, expected) in [
        (json!({"deprecated": true}), json!({"deprecated": true, "schema": true, "example": true})),
        (json!({"example": null}), json!({"deprecated": false, "schema": true, "example": false})),
        (json!({"schema": null}), json!({"deprecated": false, "schema": false, "example": true})),
        (
            json!({"schema": {"required": ["amount"]}, "deprecated": null}),
            json!({"deprecated": false, "schema": true, "example": true}),
        ),
    ] {
        let script = script(&[paid()]).saying("PutItem", [Said::done()]);
        let answer = answered(&script, change(&body)).await;
        assert_eq!(answer.status, 200, "{body}: {answer:?}");
        let is_there = |name: &str| !answer.body[name].is_null();
        let shown = json!({"deprecated": answer.body["deprecated"], "schema": is_there("schema"), "example": is_there("example")});
        assert_eq!(shown, expected, "{body}");
        assert_eq!(expression(&script.asked("PutItem")[0], "ConditionExpression"), "revision = 0");
    }
    for body in [json!({"schema": {"required": ["other"]}}), json!({"example": {"amount": "5"}})] {
        let answer = answered(&script(&[paid()]), change(&body)).await;
        assert_eq!(field(&answer), (422, "example"), "whichever of the two is changed: {body}");
    }
    for body in [json!({}), json!({"deprecated": false})] {
        let script = script(&[paid()]);
        assert_eq!(answered(&script, change(&body)).await.status, 200);
        assert!(!script.operations().contains(&"PutItem".to_owned()), "nothing is changed: {body}");
    }
    assert_eq!(field(&answered(&script(&[paid()]), change(&json!({"name": "other"}))).await), (400, "name"));
    assert_eq!(answered(&script(&[]), change(&json!({"deprecated": true}))).await.status, 404);
}

#[tokio::test]
async fn a_change_that_others_overtake_is_made_of_what_is_there_then() {
    let overtaken = || Said::refused(&json!({"changed_by": "another"}));
    let script = script(&[paid()]).saying("PutItem", [overtaken(), Said::done()]);
    assert_eq!(answered(&script, change(&json!({"deprecated": true}))).await.status, 200);
    let always = self::script(&[paid()]).saying("PutItem", repeat_with(overtaken));
    assert_eq!(answered(&always, change(&json!({"deprecated": true}))).await.status, 409);
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_leaves_what_rows_are_judged_by() {
    let delete = || call("DELETE", "/v1/event-types/invoice.paid", None);
    let script = script(&[paid()]).saying("TransactWriteItems", [Said::done()]);
    assert_eq!(answered(&script, delete()).await.status, 204);
    let writes = script.asked("TransactWriteItems").remove(0)["TransactItems"].clone();
    assert_eq!(writes[0]["Put"]["Item"]["standings"]["earlier"][0]["schema"], SCHEMA);
    assert!(writes[0]["Put"]["Item"]["expires_at"].is_number(), "it goes by itself");
    let gone = self::script(&[paid().deleted(Timestamp::UNIX_EPOCH)]);
    for call in [delete(), call("GET", "/v1/event-types/invoice.paid", None), change(&json!({}))] {
        assert_eq!(answered(&gone, call.clone()).await.status, 404, "{call:?}");
    }
}

#[tokio::test]
async fn postriders_own_types_are_shown_and_stay() {
    let path = "/v1/event-types/webhook.disabled";
    let answer = answered(&script(&[]), call("GET", path, None)).await;
    assert_eq!((answer.status, &answer.body["built_in"]), (200, &json!(true)));
    assert!(answer.body["schema"]["required"].is_array() && answer.body["example"]["webhook_id"].is_string());
    for call in [call("DELETE", path, None), call("PATCH", path, Some(&json!({"deprecated": true})))] {
        assert_eq!(field(&answered(&script(&[]), call).await), (422, "name"));
    }
    assert_eq!(answered(&script(&[]), call("GET", "/v1/event-types/job.completed", None)).await.status, 404);
}

/// The names of a page, and where the next one begins.
async fn listed(query: &str, types: &[CataloguedType], next: Option<&str>) -> (Vec<String>, Option<String>) {
    let rows: Vec<Value> = types.iter().map(|one| replay::item(&row(one))).collect();
    let mut body = json!({"Items": rows});
    if let Some(next) = next {
        body["LastEvaluatedKey"] = replay::item(&json!({"pk": "EVENT_TYPES", "sk": format!("TYPE#{next}")}));
    }
    let script = script(&[]).saying("Query", [Said::body(body)]);
    let answer = answered(&script, call("GET", &format!("/v1/event-types{query}"), None)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let names = answer.body["event_types"].as_array().unwrap().iter();
    let names = names.map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    let next = answer.body["pagination"]["next_cursor"].as_str().map(str::to_owned);
    (names, next)
}

#[tokio::test]
async fn a_page_has_all_names_in_their_order_and_postriders_own_where_they_belong() {
    let plain = |name: &str| made(name, About::default());
    let old = made("old", About { deprecated: true, ..About::default() });
    let own: Vec<&str> = BuiltIn::all().map(|one| one.own.as_str()).collect();
    let (names, next) = listed("", &[plain("a"), plain("zebra")], None).await;
    assert_eq!((names.len(), names[0].as_str(), names.last().unwrap().as_str()), (own.len() + 2, "a", "zebra"));
    assert!(names.is_sorted() && next.is_none(), "{names:?}");
    let (names, next) = listed("?limit=1", &[plain("a")], Some("a")).await;
    assert_eq!(
        (names, next),
        (vec!["a".to_owned()], Some(Cursor::write("a"))),
        "what comes later belongs to later pages"
    );
    let (names, next) = listed(&format!("?limit=1&cursor={}", Cursor::write("a")), &[plain("zebra")], None).await;
    assert_eq!((names.len(), next.is_some()), (1, true), "a page holds no more than it may, and goes on with the rest");
    let (names, _) = listed("?prefix=webhook.f", &[], None).await;
    assert!(!names.is_empty() && names.iter().all(|name| name.starts_with("webhook.f")), "{names:?}");
    assert!(!listed("?limit=200", std::slice::from_ref(&old), None).await.0.contains(&"old".to_owned()));
    assert!(listed("?deprecated=true", std::slice::from_ref(&old), None).await.0.contains(&"old".to_owned()));
    assert!(!listed("", &[plain("b").deleted(Timestamp::UNIX_EPOCH)], None).await.0.contains(&"b".to_owned()));
}

#[tokio::test]
async fn a_list_is_asked_for_in_its_own_words() {
    let long = "a".repeat(129);
    let of_another_list = format!("prefix=invoice.&cursor={}", Cursor::write("order.paid"));
    for (query, name) in [
        (of_another_list.as_str(), "cursor"),
        ("deprecated=yes", "deprecated"),
        (&format!("prefix={long}"), "prefix"),
        ("limit=0", "limit"),
        ("cursor=%", "cursor"),
        ("name=a", "name"),
    ] {
        let answer = answered(&script(&[]), call("GET", "/v1/event-types", None).query(query)).await;
        assert_eq!(field(&answer), (400, name), "{query}");
    }
}

fn document(webhooks: &Value) -> Value {
    json!({"openapi": "3.1.1", "info": {"title": "Acme", "version": "1"}, "paths": {"/": {}}, "webhooks": webhooks})
}

fn import(body: &Value) -> Call {
    call("POST", "/v1/event-types/import", Some(body))
}

#[tokio::test]
async fn a_documents_webhooks_become_types_and_one_that_is_amiss_stops_no_other() {
    let body = json!({"content": {"application/json": {"schema": {"type": "object", "required": ["amount"]}}}});
    let webhooks = json!({
        "invoice.paid": {"post": {"requestBody": body}},
        "invoice.sent": {"post": {"summary": "It was sent."}},
        "invoice.void": {"post": {}},
        "no type": {"post": {}},
        "broken": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "int"}}}}}},
    });
    let sent = made("invoice.sent", About { description: Some("It was sent.".to_owned()), ..About::default() });
    let script =
        script(&[paid(), sent.clone()]).saying("TransactWriteItems", [Said::done()]).saying("PutItem", [Said::done()]);
    let answer = answered(&script, import(&document(&webhooks))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let told = |name: &str| answer.body[name].clone();
    assert_eq!(
        (told("created"), told("updated"), told("unchanged")),
        (json!(["invoice.void"]), json!(["invoice.paid"]), json!(["invoice.sent"]))
    );
    let errors: Vec<_> =
        answer.body["errors"].as_array().unwrap().iter().map(|one| (&one["name"], &one["field"])).collect();
    assert_eq!(errors, [(&json!("no type"), &json!("name")), (&json!("broken"), &json!("schema"))]);
    assert_eq!(answer.body["errors"][1]["errors"][0]["path"], "/type");
    assert_eq!(script.asked("PutItem")[0]["Item"]["standings"]["earlier"][0]["schema"], SCHEMA);
}

#[tokio::test]
async fn what_is_taken_already_stays_when_a_document_comes_again() {
    let schema = json!({"type": "object"});
    let webhooks =
        json!({"invoice.paid": {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}});
    for written in [schema.to_string(), serde_json::to_string_pretty(&schema).unwrap()] {
        let script = script(&[made("invoice.paid", about(Some(&written), None))]);
        let answer = answered(&script, import(&document(&webhooks))).await;
        assert_eq!((answer.status, &answer.body["unchanged"]), (200, &json!(["invoice.paid"])), "{written}");
        assert!(script.operations().iter().all(|name| name == "GetItem"), "{written}");
    }
}

#[tokio::test]
async fn what_is_no_such_document_is_refused_whole() {
    let good = document(&json!({}));
    assert_eq!(answered(&script(&[]), import(&good)).await.status, 200);
    let with = |name: &str, value: Value| {
        let mut document = good.clone();
        document[name] = value;
        document
    };
    for (body, name) in [
        (json!({"webhooks": {}}), "openapi"),
        (with("openapi", json!("3.0.3")), "openapi"),
        (with("openapi", json!(3.1)), "openapi"),
        (with("webhooks", Value::Null), "webhooks"),
        (with("webhooks", json!([])), "webhooks"),
        (with("components", json!([])), "components"),
        (with("jsonSchemaDialect", json!("http://json-schema.org/draft-07/schema#")), "jsonSchemaDialect"),
    ] {
        assert_eq!(field(&answered(&script(&[]), import(&body)).await), (400, name), "{body}");
    }
    let large = with("info", json!({"title": "x".repeat(MAX_DOCUMENT_BYTES)}));
    assert_eq!(answered(&script(&[]), import(&large)).await.status, 413);
    let dialect = with("jsonSchemaDialect", json!("https://spec.openapis.org/oas/3.1/dialect/base"));
    assert_eq!(answered(&script(&[]), import(&dialect)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_import_that_we_failed_at_may_be_repeated() {
    let webhooks = json!({"a": {"post": {}}, "b": {"post": {}}});
    let script = script(&[])
        .saying_about("TransactWriteItems", "TYPE#a", repeat_with(Said::throttled))
        .saying("TransactWriteItems", [Said::done()]);
    let answer = answered(&script, import(&document(&webhooks))).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.body["error"]["message"].as_str().unwrap().contains("safe"), "{answer:?}");
    let is_b = |asked: &Value| asked["TransactItems"][0]["Put"]["Item"]["name"] == "b";
    assert!(script.asked("TransactWriteItems").iter().any(is_b), "the other is taken all the same");
}

/// A call of each route.
fn calls() -> impl Iterator<Item = (&'static Route<EventTypes>, Call)> {
    EventTypes::ROUTES
        .iter()
        .map(|route| (route, Call::new(route.method, &route.path.replace("{name}", "invoice.paid"))))
}

#[tokio::test]
async fn every_key_reads_and_the_operators_and_the_providers_with_its_scope_write() {
    let all_but_one: Vec<Scope> = Scope::ALL.iter().copied().filter(|scope| *scope != Scope::EventTypesWrite).collect();
    let another = Caller::of_provider(&all_but_one);
    // Nobody gives a tenant's key this scope; a row that has it opens nothing.
    let forged = Caller::of_tenant(1, &STANDARD, &[Scope::EventTypesWrite]);
    for (route, call) in calls() {
        assert_eq!(answered(&Script::default(), call.clone()).await.status, 401, "{call:?}");
        let reads = route.access.scope() == SharedAccess::ANY;
        assert_eq!(route.method == "GET", reads);
        for someone in [&another, &forged] {
            let script = Script::default()
                .holding("config", someone.rows())
                .saying("Query", repeat_with(|| Said::rows::<Value>(&[])));
            let status = answered(&script, call.clone().by(someone)).await.status;
            assert_eq!(status == 403, !reads, "{call:?}: {status}");
        }
        let bad = call.clone().header("authorization", &format!("Bearer {}", ADMIN_KEY.replace('0', "1")));
        assert_eq!(answered(&script(&[]), bad).await.status, 401, "{call:?}");
        let operator = call.clone().header("authorization", &format!("Bearer {ADMIN_KEY}"));
        let script = script(&[]).saying("Query", repeat_with(|| Said::rows::<Value>(&[])));
        let status = answered(&script, operator).await.status;
        assert!(![401, 403].contains(&status), "{call:?}: {status}");
        assert!(!script.operations().contains(&"PutItem".to_owned()), "it may write no key's row");
    }
}

#[tokio::test]
async fn a_query_that_no_route_knows_is_refused_and_nothing_is_written() {
    for (_, call) in calls() {
        let call = call.by(&provider()).saying(&json!({"name": "a"})).query("dry_run=true");
        assert_eq!(field(&answered(&script(&[paid()]), call.clone()).await), (400, "dry_run"), "{call:?}");
    }
}

#[tokio::test]
async fn a_creation_that_comes_again_under_its_key_is_answered_the_same_and_makes_nothing() {
    let keys = repeat_with(|| Said::secret(r#"{"current":"k1","k1":"some generated text"}"#));
    let script = Script::default().saying("GetSecretValue", keys).carrying_out().holding("config", provider().rows());
    let under_key = |body: &Value| create(body).header("idempotency-key", "our first type");
    let body = json!({"name": "invoice.paid", "example": {"amount": 5}});
    let first = answered(&script, under_key(&body)).await;
    let again = answered(&script, under_key(&body)).await;
    assert_eq!((first.status, again.status, &first.body), (201, 201, &again.body), "{first:?}");
    let other = answered(&script, under_key(&json!({"name": "invoice.sent"}))).await;
    assert_eq!((other.status, &other.body["error"]["code"]), (409, &json!("conflict")));
    assert_eq!(answered(&script, create(&body)).await.status, 409, "without its key it is another call");
    let writes = script.asked("TransactWriteItems");
    let places: Vec<_> =
        writes[0]["TransactItems"].as_array().unwrap().iter().map(|write| write["Put"]["Item"]["pk"].clone()).collect();
    assert_eq!((writes.len(), places[1].as_str().unwrap().starts_with("CALLS#key_")), (1, true), "{places:?}");
}

//! What a provider and his visitors are told of links and sessions, and what is asked of AWS for it.

use std::iter::repeat_with;

use jiff::Timestamp;
use postrider_api::serve;
use postrider_domain::dialect::{NOUVEL, NUR};
use postrider_domain::endpoint::Endpoint;
use postrider_domain::key::{ApiKey, Scope};
use replay::{Answer, Call, Caller, Said, Script, Visitor, expression, keyed, sample};
use serde_json::{Value, json};

use super::*;
use crate::handler::tests::{answered, operator, path, post, row, script, tenant, written};

fn provider() -> Caller {
    Caller::of_provider(&[Scope::PortalWrite])
}

fn visitor(capabilities: &[Capability]) -> Visitor {
    Visitor::of(&Caller::of_tenant(1, &STANDARD, &[]), capabilities)
}

fn webhook(number: u64) -> Endpoint {
    let id = postrider_domain::id::EndpointId::new(Timestamp::UNIX_EPOCH, number);
    Endpoint { id, ..sample::endpoint(tenant().id) }
}

fn webhook_row(endpoint: &Endpoint) -> Value {
    keyed(format!("TENANT#{}", endpoint.tenant_id), format!("WEBHOOK#{}", endpoint.id), endpoint)
}

/// An AWS that has counted so many sessions, and finds these keys.
fn counting(sessions: u64, keys: &[Value]) -> Script {
    script()
        .saying_about("Query", "\"COUNT\"", [Said::body(json!({"Count": sessions, "ScannedCount": sessions}))])
        .saying_about("Query", "KEY#", [Said::rows(keys)])
}

async fn told(script: &Script, call: Call) -> Answer {
    Answer::of(&serve(&operator(script), call.event()).await)
}

fn link() -> (String, Link) {
    let now = clock::now();
    let mut session = visitor(&[Capability::Edit]).session;
    session.expires_at = now.as_second() + 600;
    (secret_text(TOKEN_PREFIX, &[0xcd; 32]), Link::to(session, now))
}

fn begin(token: &str) -> Call {
    post("/v1/portal/sessions", &json!({"token": token}))
}

#[tokio::test]
async fn a_link_is_shown_once_and_kept_as_its_hash_in_two_places() {
    let script = counting(0, &[]).saying("TransactWriteItems", [Said::done()]);
    let (before, answer) = (clock::now().as_second(), answered(&script, post(&path("/portal"), &json!({}))).await);
    assert_eq!(answer.status, 201, "{answer:?}");
    let (url, id) = (answer.body["url"].as_str().unwrap(), answer.body["session_id"].as_str().unwrap());
    let token = url.strip_prefix("https://hooks.example.com/portal/enter/").unwrap();
    let writes = written(&script);
    assert!(is_token(token) && !json!(writes).to_string().contains(token), "it is kept by nobody");
    let items: Vec<_> = writes.iter().map(|write| &write["Put"]["Item"]).collect();
    let places: Vec<_> =
        items.iter().map(|item| (item["pk"].as_str().unwrap(), item["sk"].as_str().unwrap())).collect();
    let own = format!("TENANT#{}", tenant().id);
    assert_eq!(places, [(&*format!("PORTAL#{}", hash_of(token)), "LINK"), (&*own, &*format!("SESSION#{id}"))]);
    assert!(writes.iter().all(|write| write["Put"]["ConditionExpression"] == "attribute_not_exists(pk)"));
    assert_eq!(items[0]["capabilities"], json!(Capability::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>()));
    assert_eq!((&items[0]["reach"], &items[0]["dialect"]), (&json!("all"), &json!("standard")));
    assert_eq!((&items[1]["hash"], &items[1]["is_used"]), (&json!(hash_of(token)), &json!(false)));
    for item in items {
        assert_eq!(item["tenant_id"], tenant().id.as_str(), "or nobody would take it away with its tenant");
        let (until, ends) = (item["usable_until"].as_i64().unwrap(), item["ends_at"].as_i64().unwrap());
        assert!((before + 300..=before + 310).contains(&until) && (before + 3600..=before + 3610).contains(&ends));
        assert_eq!(item["expires_at"], item["usable_until"], "DynamoDB takes away what nobody may use any more");
    }
}

#[tokio::test]
async fn a_link_says_what_its_session_may_do_and_how_it_looks() {
    let (one, other) = (webhook(1), webhook(2));
    let script = counting(0, &[]).holding("config", [webhook_row(&one), webhook_row(&other)]);
    let script = script.saying("TransactWriteItems", [Said::done()]);
    let look = json!({"return_url": "https://app.example.com/", "name": "Acme", "accent": "#1f6feb", "language": "de"});
    let mut body = look.clone();
    body["capabilities"] = json!(["send"]);
    body["webhook_ids"] = json!([other.id, one.id]);
    body["expires_in"] = json!(60);
    body["dialect"] = json!("nur");
    let call = Call::new("POST", &path("/portal")).by(&provider()).saying(&body);
    let script = script.holding("config", provider().rows());
    let answer = told(&script, call).await;
    assert_eq!(answer.status, 201, "a provider key is enough: {answer:?}");
    let item = &written(&script)[0]["Put"]["Item"];
    assert_eq!((&item["capabilities"], &item["dialect"]), (&json!(["view", "send"]), &json!("nur")));
    assert_eq!(item["reach"], json!({"only": [one.id, other.id]}));
    assert!(look.as_object().unwrap().iter().all(|(name, value)| &item[name] == value), "{item}");
    assert!(item["usable_until"] == item["ends_at"], "no link outlives its session");
}

#[tokio::test]
async fn a_session_makes_webhooks_as_the_tenants_newest_key_does_that_makes_any() {
    let key = |dialect, number| {
        let of = Caller::of_tenant(1, dialect, &[]);
        let id = postrider_domain::id::KeyId::new(Timestamp::UNIX_EPOCH, number);
        json!(ApiKey { id, ..of.key })
    };
    for (keys, dialect) in
        [(vec![key(&NOUVEL, 3), key(&NUR, 2), key(&STANDARD, 1)], "nur"), (vec![key(&NOUVEL, 3)], "standard")]
    {
        let script = counting(0, &keys).saying("TransactWriteItems", [Said::done()]);
        assert_eq!(answered(&script, post(&path("/portal"), &json!({}))).await.status, 201);
        assert_eq!(written(&script)[0]["Put"]["Item"]["dialect"], dialect);
        let asked = script.asked("Query");
        assert_eq!(asked[1]["ScanIndexForward"], false, "the newest first: {asked:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_a_link_writes_nothing() {
    let many: Vec<_> = (0..=100).map(|number| webhook(number).id).collect();
    for (body, status, field) in [
        (json!({"capabilities": []}), 400, "capabilities"),
        (json!({"capabilities": ["admin"]}), 400, "capabilities[0]"),
        (json!({"capabilities": "view"}), 400, "capabilities"),
        (json!({"webhook_ids": []}), 400, "webhook_ids"),
        (json!({"webhook_ids": ["wh_1"]}), 400, "webhook_ids[0]"),
        (json!({"webhook_ids": many}), 400, "webhook_ids"),
        (json!({"webhook_ids": [webhook(1).id]}), 422, "webhook_ids"),
        (json!({"expires_in": 59}), 400, "expires_in"),
        (json!({"expires_in": 604_801}), 400, "expires_in"),
        (json!({"expires_in": "3600"}), 400, "expires_in"),
        (json!({"return_url": "javascript:alert(1)"}), 400, "return_url"),
        (json!({"name": ""}), 400, "name"),
        (json!({"accent": "red"}), 400, "accent"),
        (json!({"language": "English"}), 400, "language"),
        (json!({"dialect": "nouvel"}), 400, "dialect"),
        (json!({"dialect": "klingon"}), 400, "dialect"),
        (json!({"scopes": []}), 400, "scopes"),
    ] {
        let answer = answered(&script(), post(&path("/portal"), &body)).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (status, &json!(field)), "{body}");
    }
}

#[tokio::test]
async fn a_tenant_has_a_thousand_sessions_at_a_time() {
    let full = counting(PORTAL_SESSIONS, &[]);
    let answer = answered(&full, post(&path("/portal"), &json!({}))).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (429, &json!("quota_exceeded")));
    assert_eq!(answer.body["error"]["details"]["quota"], json!({"name": "portal_sessions", "limit": 1000}));
    let asked = full.asked("Query").remove(0);
    let counted = expression(&asked, "FilterExpression");
    assert!(counted.starts_with("epoch = 0 AND (is_used = true OR usable_until > "), "{counted}");
    // What is open no more is read all the same, until DynamoDB has taken it away: that has an end, too.
    let page =
        |read: u64| json!({"Count": 0, "ScannedCount": read, "LastEvaluatedKey": {"pk": {"S": "a"}, "sk": {"S": "b"}}});
    let cluttered = script().saying_about("Query", "\"COUNT\"", [Said::body(page(3_000)), Said::body(page(2_000))]);
    assert_eq!(answered(&cluttered, post(&path("/portal"), &json!({}))).await.status, 429);
    assert_eq!(cluttered.asked("Query").len(), 2, "it is not read to its end");
    let one_more = counting(PORTAL_SESSIONS - 1, &[]).saying("TransactWriteItems", [Said::done()]);
    assert_eq!(answered(&one_more, post(&path("/portal"), &json!({}))).await.status, 201);
}

#[tokio::test]
async fn a_suspended_tenants_portal_is_suspended_too() {
    let suspended = Tenant { status: TenantStatus::Suspended, ..tenant() };
    let (token, link) = link();
    let link_row = keyed(format!("PORTAL#{}", hash_of(&token)), "LINK", &link);
    for call in [post(&path("/portal"), &json!({})), begin(&token)] {
        let script = Script::default().holding("config", [row(&suspended), link_row.clone()]).also(script());
        let answer = answered(&script, call).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (403, &json!("tenant_suspended")));
        assert_eq!(script.asked("TransactWriteItems").len(), 0, "the link is not used up by it");
    }
}

#[tokio::test]
async fn a_link_is_used_up_by_one_transaction_that_puts_the_session() {
    let (token, link) = link();
    let mut kept = keyed(format!("PORTAL#{}", hash_of(&token)), "LINK", &link);
    (kept["ends_at"], kept["expires_at"]) = (kept["expires_at"].clone(), kept["usable_until"].clone());
    let script =
        Script::default().holding("config", [row(&tenant()), kept]).saying("TransactWriteItems", [Said::done()]);
    let answer = told(&script, begin(&token)).await;
    assert_eq!(answer.status, 201, "no key is asked for: {answer:?}");
    let text = answer.body["session"].as_str().unwrap();
    assert!(postrider_domain::portal::is_session(text));
    assert_eq!(answer.body["session_id"], link.session.id.as_str());
    assert_eq!((&answer.body["capabilities"], answer.body.get("webhook_ids")), (&json!(["view", "edit"]), None));
    let writes = written(&script);
    assert!(!json!(writes).to_string().contains(text) && !json!(writes).to_string().contains(&token));
    let [listed, used, put] = <[Value; 3]>::try_from(writes).unwrap();
    let condition = expression(&listed["Update"], "ConditionExpression");
    assert_eq!(condition, format!("hash = \"{}\"", hash_of(&token)), "one of several finds the link's");
    assert_eq!(listed["Update"]["Key"]["sk"], format!("SESSION#{}", link.session.id));
    let update = expression(&listed["Update"], "UpdateExpression");
    let ends = format!("expires_at = {} REMOVE ends_at", link.session.expires_at);
    assert!(update.ends_with(&ends), "a session is kept until it ends: {update}");
    assert_eq!(used["Delete"]["Key"], json!({"pk": format!("PORTAL#{}", hash_of(&token)), "sk": "LINK"}));
    let condition = expression(&used["Delete"], "ConditionExpression");
    assert!(condition.starts_with("usable_until > 1"), "it may become late while we look: {condition}");
    let item = &put["Put"]["Item"];
    assert_eq!((&item["pk"], &item["sk"]), (&json!(format!("SESSION#{}", hash_of(text))), &json!("SESSION")));
    assert_eq!(put["Put"]["ConditionExpression"], "attribute_not_exists(pk)");
    let kept: Session = serde_json::from_value(item.clone()).unwrap();
    assert_eq!(kept, link.session, "it is what the link said");
}

#[tokio::test]
async fn a_link_that_does_not_work_is_one_whatever_the_reason() {
    let (token, link) = link();
    let held = |link: &Link| keyed(format!("PORTAL#{}", hash_of(&token)), "LINK", link);
    let late = Link { usable_until: clock::now().as_second(), ..link.clone() };
    let ended = Tenant { portal_epoch: 1, ..tenant() };
    let leaving = json!({"status": "deleting", "deleting_since": "2026-01-15T14:00:00.000Z"});
    let leaving = keyed(format!("TENANT#{}", tenant().id), "TENANT", &leaving);
    let overtaken = Said::cancelled(&[Ok(json!({"hash": "of another's session"})), Err("None"), Err("None")]);
    let scripts = [
        Script::default().holding("config", []),
        Script::default().holding("config", [row(&tenant()), held(&late)]),
        Script::default().holding("config", [row(&ended), held(&link)]),
        Script::default().holding("config", [leaving, held(&link)]),
        Script::default().holding("config", [row(&tenant()), held(&link)]).saying("TransactWriteItems", [overtaken]),
    ];
    let mut told_all = Vec::new();
    for script in &scripts {
        told_all.push(told(script, begin(&token)).await);
    }
    for unlike in ["", "prl_", &token[..67], &token.replace("prl_", "prs_"), "x"] {
        told_all.push(told(&Script::default(), begin(unlike)).await);
    }
    for answer in &told_all {
        assert_eq!((answer.status, &answer.body["error"]["code"]), (401, &json!("unauthorized")));
        assert_eq!(answer.body, told_all[0].body);
    }
    let answer = told(&Script::default(), post("/v1/portal/sessions", &json!({"token": 7}))).await;
    assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!("token")));
}

/// AWS carried it out, and its answer was lost: the SDK's second try is refused by the first one's own effect.
#[tokio::test(start_paused = true)]
async fn a_link_whose_use_was_answered_late_is_used_by_whoever_used_it() {
    let (token, link) = link();
    let rows = [row(&tenant()), keyed(format!("PORTAL#{}", hash_of(&token)), "LINK", &link)];
    let first = Script::default().holding("config", rows.clone()).answering("TransactWriteItems", {
        let mut tries = 0;
        move |asked| {
            tries += 1;
            let ours = &asked["TransactItems"][0]["Update"]["ExpressionAttributeValues"][":session"];
            Some(if tries == 1 {
                Said::lost()
            } else {
                Said::cancelled(&[Ok(json!({"hash": ours})), Err("None"), Err("None")])
            })
        }
    });
    assert_eq!(told(&first, begin(&token)).await.status, 201);
}

#[tokio::test]
async fn a_visitor_is_told_of_his_own_session_and_no_key_is() {
    let mut visitor = visitor(&[Capability::Send]).only(&[&webhook(1).id]);
    visitor.session.look.name = Some("Acme".to_owned());
    let script = Script::default().holding("config", visitor.rows());
    let answer = told(&script, Call::new("GET", "/v1/portal/session").in_session(&visitor)).await;
    let expected = json!({
        "session_id": visitor.session.id, "tenant_id": tenant().id, "tenant_name": "Acme", "capabilities": ["view", "send"],
        "webhook_ids": [webhook(1).id], "dialect": "standard", "expires_at": "3000-01-01T00:00:00.000Z", "name": "Acme",
    });
    assert_eq!((answer.status, answer.body), (200, expected));
    let owner = Caller::of_tenant(1, &STANDARD, &Scope::of_a_tenant());
    let script = Script::default().holding("config", owner.rows());
    for method in ["GET", "DELETE"] {
        assert_eq!(told(&script, Call::new(method, "/v1/portal/session").by(&owner)).await.status, 403);
        assert_eq!(told(&Script::default(), Call::new(method, "/v1/portal/session")).await.status, 401);
    }
}

fn listed(hash: &str, is_used: bool) -> Value {
    let session = visitor(&[]).session;
    let row = json!({"id": session.id, "tenant_id": tenant().id, "hash": hash, "is_used": is_used});
    keyed(format!("TENANT#{}", tenant().id), format!("SESSION#{}", session.id), &row)
}

#[tokio::test]
async fn a_session_ends_wherever_it_has_come_to() {
    let id = visitor(&[]).session.id;
    let call = || Call::new("DELETE", &path(&format!("/portal/{id}")));
    for (is_used, place) in [(false, "PORTAL#h"), (true, "SESSION#h")] {
        let script = script().holding("config", [listed("h", is_used)]).saying("TransactWriteItems", [Said::done()]);
        assert_eq!(answered(&script, call()).await.status, 204);
        let writes = written(&script);
        assert_eq!(expression(&writes[0]["Delete"], "ConditionExpression"), "hash = \"h\"");
        assert_eq!(writes[1]["Delete"]["Key"]["pk"], place);
    }
    // It begins while it is ended: what was read is no longer where it is.
    let began = [Said::row(&listed("h", false)), Said::row(&listed("later", true))];
    let script = Script::default()
        .saying_about("GetItem", "SESSION#ses_", began)
        .also(script())
        .saying("TransactWriteItems", [Said::cancelled(&[Ok(json!({})), Err("None")]), Said::done()]);
    assert_eq!(answered(&script, call()).await.status, 204);
    let asked = script.asked("TransactWriteItems");
    assert_eq!(asked[1]["TransactItems"][1]["Delete"]["Key"]["pk"], "SESSION#later");
    assert_eq!(answered(&self::script(), call()).await.status, 404, "there is none, or none any more");
    let nobodys = Call::new("DELETE", &path("/portal/ses_1"));
    assert_eq!(answered(&self::script(), nobodys).await.status, 404);
}

#[tokio::test]
async fn a_visitor_ends_his_own_session() {
    let visitor = visitor(&[]);
    let script = Script::default()
        .holding("config", visitor.rows())
        .holding("config", [listed("h", true)])
        .saying("TransactWriteItems", [Said::done()]);
    let answer = told(&script, Call::new("DELETE", "/v1/portal/session").in_session(&visitor)).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(written(&script)[0]["Delete"]["Key"]["sk"], format!("SESSION#{}", visitor.session.id));
}

#[tokio::test]
async fn all_sessions_end_by_one_write() {
    let script = script().saying("UpdateItem", [Said::done()]).holding("config", provider().rows());
    let answer = told(&script, Call::new("DELETE", &path("/portal")).by(&provider())).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    let asked = script.asked("UpdateItem").remove(0);
    assert_eq!(expression(&asked, "UpdateExpression"), "ADD portal_epoch 1");
    assert!(asked["ConditionExpression"].as_str().unwrap().contains("attribute_not_exists(deleting_since)"));
}

#[tokio::test]
async fn nobody_but_the_provider_makes_or_ends_links() {
    let id = visitor(&[]).session.id;
    let calls = [
        post(&path("/portal"), &json!({})),
        Call::new("DELETE", &path("/portal")),
        Call::new("DELETE", &path(&format!("/portal/{id}"))),
    ];
    let owner = Caller::of_tenant(1, &STANDARD, &Scope::of_a_tenant());
    let others =
        Caller::of_provider(&Scope::ALL.iter().copied().filter(|one| *one != Scope::PortalWrite).collect::<Vec<_>>());
    let visitor = visitor(Capability::ALL);
    for call in calls {
        for (rows, call) in [
            (owner.rows(), call.clone().by(&owner)),
            (others.rows(), call.clone().by(&others)),
            (visitor.rows(), call.clone().in_session(&visitor)),
        ] {
            let answer = told(&Script::default().holding("config", rows), call).await;
            assert_eq!((answer.status, &answer.body["error"]["code"]), (403, &json!("forbidden")));
        }
    }
}

#[tokio::test]
async fn everybody_hears_which_methods_the_portals_paths_take() {
    let answer = told(&Script::default(), Call::new("PATCH", "/v1/portal/session")).await;
    assert_eq!((answer.status, &answer.headers["allow"]), (405, &json!("GET, DELETE")));
    let answer = told(&Script::default(), Call::new("GET", "/v1/portal/sessions")).await;
    assert_eq!((answer.status, &answer.headers["allow"]), (405, &json!("POST")));
    let known = script().saying("GetSecretValue", repeat_with(|| Said::secret("")));
    assert_eq!(told(&known, Call::new("GET", "/v1/tenants/x/y")).await.status, 401);
}

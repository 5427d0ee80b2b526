//! Whom a function lets in, and how it tells the others, without a stack.

use std::iter::repeat_with;
use std::time::Duration;

use postrider_aws::config_table::ConfigTable;
use postrider_aws::sdk;
use postrider_domain::dialect::STANDARD;
use postrider_domain::id::EndpointId;
use postrider_domain::key::Scope;
use postrider_domain::portal::{Capability, Session};
use postrider_domain::tenant::{Tenant, TenantStatus};
use replay::{Answer, Call, Caller as Someone, Said, Script, Visitor, keyed};
use serde_json::json;

use crate::{ApiError, Caller, Credentials, KeyAccess, Request, Response, Route, Routed, Sessions, serve};

/// A function with a route of each shape of errors.
struct Things(Credentials);

fn nothing() -> crate::Operation {
    crate::Operation::new("nothing", "Nothing", "")
}

impl Routed for Things {
    type Access = KeyAccess;
    type Caller = Caller;

    const ROUTES: &'static [Route<Self>] = &[
        Route::get(
            "/v1/things",
            KeyAccess::Bearer(Scope::WebhooksRead, Sessions::With(Capability::View)),
            nothing,
            |_, _, caller: &Caller, _| {
                Box::pin(async {
                    Ok(Response::json(200, &json!({"tenant": caller.tenant()?.0.id, "actor": caller.actor()})))
                })
            },
        ),
        Route::post(
            "/v1/things",
            KeyAccess::Bearer(Scope::WebhooksWrite, Sessions::ForAllWith(Capability::Edit)),
            nothing,
            |_, _, _, _| Box::pin(async { Ok(Response::no_content()) }),
            "look",
        ),
        Route::put("/v1/things", KeyAccess::Bearer(Scope::EventsWrite, Sessions::Never), nothing, |_, _, _, _| {
            Box::pin(async { Ok(Response::no_content()) })
        }),
        Route::delete(
            "/v1/things",
            KeyAccess::Bearer(Scope::WebhooksWrite, Sessions::With(Capability::Edit)),
            nothing,
            |_, _, _, _| Box::pin(async { Ok(Response::no_content()) }),
        ),
        Route::get(
            "/v1/jobs/things",
            KeyAccess::Header(Scope::JobsRead, Sessions::With(Capability::View)),
            nothing,
            |_, _, _, _| Box::pin(async { Ok(Response::no_content()) }),
        ),
        Route::get(
            "/api/v1/things",
            KeyAccess::Bearer(Scope::JobsRead, Sessions::With(Capability::View)),
            nothing,
            |_, _, _, _| Box::pin(async { Ok(Response::no_content()) }),
        ),
    ];

    async fn admit(&self, request: &Request, access: &KeyAccess) -> Result<Caller, ApiError> {
        self.0.caller(request, access).await
    }
}

fn things(script: &Script) -> Things {
    Things(Credentials::new(ConfigTable::of(&script.sdk(sdk::over), "config")))
}

async fn asked(things: &Things, call: Call) -> Answer {
    Answer::of(&serve(things, call.event()).await)
}

/// What somebody is answered who is known.
async fn answered(someone: &Someone, call: Call) -> Answer {
    asked(&things(&Script::default().holding("config", someone.rows())), call.by(someone)).await
}

fn get(path: &str) -> Call {
    Call::new("GET", path)
}

fn tenant(scopes: &[Scope]) -> Someone {
    Someone::of_tenant(1, &STANDARD, scopes)
}

#[tokio::test]
async fn what_is_no_key_is_told_so_without_a_look() {
    let things = things(&Script::default());
    for value in ["", "Bearer", "Bearer ", "pr_1", "Basic pr_1", "Bearer mine", "Bearer sk_test_1"] {
        let answer = asked(&things, get("/v1/things").header("authorization", value)).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (401, &json!("unauthorized")), "{value}");
    }
    assert_eq!(asked(&things, get("/v1/things")).await.status, 401);
    let answer = asked(&things, get("/v1/things").header("x-api-key", "pr_1")).await;
    assert_eq!(answer.status, 401, "this path takes a bearer's alone");
}

#[tokio::test]
async fn an_unknown_key_is_not_remembered() {
    let script = Script::default().holding("config", []);
    let things = things(&script);
    for _ in 0..2 {
        assert_eq!(asked(&things, get("/v1/things").by(&tenant(&[]))).await.status, 401);
    }
    assert_eq!(script.operations().len(), 2, "it may be made at any time");
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_for_its_own_tenant() {
    let someone = tenant(&[Scope::WebhooksRead]);
    let answer = answered(&someone, get("/v1/things")).await;
    assert_eq!((answer.status, answer.body), (200, json!({"tenant": someone.tenant_id(), "actor": someone.key.id})));
    let answer = answered(&someone, Call::new("DELETE", "/v1/things")).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (403, &json!("forbidden")));
    let message = answer.body["error"]["message"].as_str().unwrap();
    assert!(message.contains("`webhooks:write`"), "{message}");
}

#[tokio::test]
async fn both_headers_are_taken_where_a_path_takes_its_own() {
    let someone = tenant(&[Scope::JobsRead]);
    let things = things(&Script::default().holding("config", someone.rows()));
    assert_eq!(asked(&things, get("/v1/jobs/things").header("x-api-key", &someone.text)).await.status, 204);
    assert_eq!(asked(&things, get("/v1/jobs/things").by(&someone)).await.status, 204);
}

#[tokio::test]
async fn a_suspended_tenants_keys_and_expired_ones_do_nothing() {
    let good = tenant(&[Scope::WebhooksRead]);
    let suspended = good.tenant.clone().map(|tenant| Tenant { status: TenantStatus::Suspended, ..tenant });
    let answer = answered(&Someone { tenant: suspended, ..good.clone() }, get("/v1/things")).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (403, &json!("tenant_suspended")));
    let mut expired = good;
    expired.key.not_after = Some(expired.key.created_at);
    assert_eq!(answered(&expired, get("/v1/things")).await.status, 401);
}

#[tokio::test]
async fn a_provider_key_belongs_to_no_tenant() {
    let answer = answered(&Someone::of_provider(&[Scope::WebhooksRead]), get("/v1/things")).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn a_key_whose_tenant_is_lost_is_our_failure_and_no_unknown_one() {
    let someone = tenant(&[Scope::WebhooksRead]);
    let lost = Someone { tenant: None, ..someone };
    let answer = answered(&lost, get("/v1/things")).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (500, &json!("internal")));
}

#[tokio::test(start_paused = true)]
async fn a_good_key_costs_no_read_for_less_than_a_minute() {
    let someone = tenant(&[Scope::WebhooksRead]);
    let script = Script::default().holding("config", someone.rows());
    let things = things(&script);
    for (wait, reads) in [(0, 2), (44, 2), (2, 4)] {
        tokio::time::advance(Duration::from_secs(wait)).await;
        assert_eq!(asked(&things, get("/v1/things").by(&someone)).await.status, 200);
        assert_eq!(script.operations().len(), reads, "its key and its tenant, {wait}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deleted_tenants_keys_are_none_in_less_than_a_minute_whether_their_rows_are_gone_or_not() {
    let someone = tenant(&[Scope::WebhooksRead]);
    let [key, alive] = <[_; 2]>::try_from(someone.rows()).unwrap();
    let leaving = json!({"status": "deleting", "deleting_since": "2026-01-15T14:00:00.000Z"});
    let leaving = keyed(alive["pk"].as_str().unwrap(), "TENANT", &leaving);
    let rows = [Said::row(&alive)].into_iter().chain(repeat_with(move || Said::row(&leaving)));
    let things = things(&Script::default().saying_about("GetItem", "\"TENANT\"", rows).holding("config", [key]));
    for (wait, status) in [(0, 200), (44, 200), (2, 401), (0, 401)] {
        tokio::time::advance(Duration::from_secs(wait)).await;
        assert_eq!(asked(&things, get("/v1/things").by(&someone)).await.status, status, "{wait}");
    }
}

fn visitor(capabilities: &[Capability]) -> Visitor {
    Visitor::of(&tenant(&[]), capabilities)
}

async fn visited(visitor: &Visitor, call: Call) -> Answer {
    asked(&things(&Script::default().holding("config", visitor.rows())), call.in_session(visitor)).await
}

#[tokio::test]
async fn a_visitor_does_what_his_capabilities_say_for_that_tenant() {
    let calls =
        [("GET", "/v1/things"), ("GET", "/v1/jobs/things"), ("GET", "/api/v1/things"), ("DELETE", "/v1/things")];
    for (capability, may_delete) in [(Capability::View, false), (Capability::Send, false), (Capability::Edit, true)] {
        let visitor = visitor(&[capability]);
        for (method, path) in calls {
            let is_let_in = method == "GET" || may_delete;
            let answer = visited(&visitor, Call::new(method, path)).await;
            assert_eq!(answer.status == 403, !is_let_in, "{capability:?} {method} {path}: {answer:?}");
        }
    }
    let visitor = visitor(&[Capability::View]);
    let answer = visited(&visitor, get("/v1/things")).await;
    assert_eq!(answer.body, json!({"tenant": visitor.tenant.id, "actor": visitor.session.id}));
    let answer = visited(&visitor, Call::new("DELETE", "/v1/things")).await;
    let message = answer.body["error"]["message"].as_str().unwrap();
    assert!(message.contains("capability `edit`"), "{message}");
}

#[tokio::test]
async fn a_visitor_never_does_what_is_for_keys_alone_nor_with_some_webhooks_what_is_for_all() {
    let visitor = visitor(Capability::ALL);
    assert_eq!(visited(&visitor, Call::new("PUT", "/v1/things")).await.status, 403);
    assert_eq!(visited(&visitor, Call::new("POST", "/v1/things")).await.status, 204);
    let limited = visitor.only(&[&EndpointId::new(jiff::Timestamp::UNIX_EPOCH, 1)]);
    assert_eq!(visited(&limited, Call::new("POST", "/v1/things")).await.status, 403);
    assert_eq!(visited(&limited, Call::new("DELETE", "/v1/things")).await.status, 204);
}

#[tokio::test]
async fn what_is_no_session_is_told_so_without_a_look() {
    let things = things(&Script::default());
    let text = visitor(&[]).text;
    for bad in [&text[..67], &text.to_uppercase().replace("PRS_", "prs_"), "prs_", &text.replace("prs_", "prl_")] {
        let answer = asked(&things, get("/v1/things").header("authorization", &format!("Bearer {bad}"))).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (401, &json!("unauthorized")), "{bad}");
    }
}

#[tokio::test]
async fn a_session_ends_with_its_time_and_with_its_tenants_epoch() {
    let good = visitor(&[]);
    let ended = |session: Session| Visitor { session, ..good.clone() };
    let over = ended(Session { expires_at: 1, ..good.session.clone() });
    let mut later = good.clone();
    later.tenant.portal_epoch += 1;
    for visitor in [over, later] {
        let answer = visited(&visitor, get("/v1/things")).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (401, &json!("unauthorized")), "{visitor:?}");
    }
    let mut suspended = good.clone();
    suspended.tenant.status = TenantStatus::Suspended;
    let answer = visited(&suspended, get("/v1/things")).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (403, &json!("tenant_suspended")));
    let unknown = asked(&things(&Script::default().holding("config", [])), get("/v1/things").in_session(&good)).await;
    assert_eq!(unknown.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_ended_is_none_in_less_than_a_minute() {
    let visitor = visitor(&[]);
    let [row, alive] = <[_; 2]>::try_from(visitor.rows()).unwrap();
    let ended = keyed(alive["pk"].as_str().unwrap(), "TENANT", &Tenant { portal_epoch: 1, ..visitor.tenant.clone() });
    let rows = [Said::row(&alive)].into_iter().chain(repeat_with(move || Said::row(&ended)));
    let things = things(&Script::default().saying_about("GetItem", "\"TENANT\"", rows).holding("config", [row]));
    for (wait, status) in [(0, 200), (44, 200), (2, 401), (0, 401)] {
        tokio::time::advance(Duration::from_secs(wait)).await;
        assert_eq!(asked(&things, get("/v1/things").in_session(&visitor)).await.status, status, "{wait}");
    }
}

#[tokio::test]
async fn each_path_is_refused_in_its_own_shape() {
    let things = things(&Script::default());
    for (method, status, code) in [("GET", 404, "not_found"), ("PATCH", 405, "method_not_allowed")] {
        let path = |path: &str| if status == 404 { format!("{path}/x") } else { path.to_owned() };
        let coded = asked(&things, Call::new(method, &path("/v1/things"))).await;
        assert_eq!((coded.status, &coded.body["error"]["code"]), (status, &json!(code)));
        assert_eq!(coded.body.as_object().unwrap().len(), 1);
        let with_meta = asked(&things, Call::new(method, &path("/v1/jobs/things"))).await;
        assert_eq!((with_meta.status, &with_meta.body["error"]["code"]), (status, &json!(code)));
        assert_eq!(with_meta.body["meta"], json!({"request_id": "a request"}));
        let plain = asked(&things, Call::new(method, &path("/api/v1/things"))).await;
        assert_eq!((plain.status, &plain.body["reason"]), (status, &json!(code)));
        assert!(plain.body["error"].is_string());
        for answer in [&coded, &with_meta, &plain] {
            assert_eq!(answer.headers["x-request-id"], "a request");
        }
        let allowed = if status == 405 { json!("GET, POST, PUT, DELETE") } else { json!(null) };
        assert_eq!(coded.headers["allow"], allowed);
    }
}

//! What a visitor of the portal may do with webhooks: those that his session is for, and no others.

use postrider_domain::portal::Capability;
use replay::Visitor;

use super::*;

fn another() -> Endpoint {
    Endpoint { id: EndpointId::new(Timestamp::UNIX_EPOCH, 4711), ..endpoint() }
}

/// Who is for the one webhook alone.
fn visitor() -> Visitor {
    Visitor::of(&owner(), Capability::ALL).only(&[&endpoint().id])
}

fn known(endpoints: &[Endpoint]) -> Script {
    script(endpoints).holding("config", [visitor().row()])
}

#[tokio::test]
async fn another_webhook_is_not_there_and_nothing_is_read_of_it() {
    let path = format!("/v1/webhooks/{}", another().id);
    for (method, end, body) in [
        ("GET", "", None),
        ("PATCH", "", Some(json!({"description": "mine"}))),
        ("DELETE", "", None),
        ("POST", "/enable", Some(json!({}))),
        ("POST", "/disable", Some(json!({}))),
        ("POST", "/secret/rotate", Some(json!({}))),
        ("POST", "/test", Some(json!({}))),
        ("POST", "/preview", Some(json!({"event": "invoice.paid", "data": {}}))),
    ] {
        let call = Call::new(method, &format!("{path}{end}")).in_session(&visitor());
        let call = body.iter().fold(call, Call::saying);
        let script = known(&[endpoint(), another()]);
        let answer = answered(&script, call).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (404, &json!("not_found")), "{method} {end}");
        assert!(!json!(script.asked("GetItem")).to_string().contains(another().id.as_str()), "{method} {end}");
    }
    let asked = json!({"webhook_id": another().id, "headers": {}, "body": "{}"});
    let call = Call::new("POST", "/v1/verify").in_session(&visitor()).saying(&asked);
    assert_eq!(answered(&known(&[endpoint(), another()]), call).await.status, 404);
}

#[tokio::test]
async fn lists_are_of_his_own_and_lead_nowhere_else() {
    let many = Visitor::of(&owner(), &[Capability::View]).only(&[&endpoint().id, &another().id]);
    let ids = async |query: &str| {
        // No list of all of them is read.
        let script = script(&[endpoint(), another()]).holding("config", [many.row()]);
        let call = Call::new("GET", &format!("/v1/webhooks{query}")).in_session(&many);
        let answer = answered(&script, call).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let listed = answer.body["webhooks"].as_array().unwrap().iter();
        let listed: Vec<_> = listed.map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        (listed, answer.body["pagination"]["next_cursor"].as_str().map(str::to_owned))
    };
    let mut own = vec![endpoint().id.to_string(), another().id.to_string()];
    own.sort();
    assert_eq!(ids("").await, (own.clone(), None));
    let (first, next) = ids("?limit=1").await;
    let (second, end) = ids(&format!("?limit=1&cursor={}", next.unwrap())).await;
    assert_eq!(([first, second].concat(), end), (own, None));
}

#[tokio::test]
async fn nothing_of_his_own_comes_to_tell_of_others() {
    let change =
        |events: &[&str]| Call::new("PATCH", &path()).in_session(&visitor()).saying(&json!({"events": events}));
    for events in [&["webhook.*"][..], &["invoice.paid", "webhook.deleted"]] {
        let answer = answered(&known(&[endpoint()]), change(events)).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (403, &json!("forbidden")), "{events:?}");
    }
    // What was so before may stay: somebody else has said so.
    let told = Endpoint { events: vec!["webhook.*".parse().unwrap()], ..endpoint() };
    let script = known(&[told]).saying("TransactWriteItems", [Said::done()]);
    assert_eq!(answered(&script, change(&["webhook.*", "invoice.paid"])).await.status, 200);
    // And whoever is for all of them is told of all of them anyhow.
    let whole = Visitor::of(&owner(), &[Capability::Edit]);
    let script = self::script(&[endpoint()]).holding("config", [whole.row()]);
    let script = script.saying("TransactWriteItems", [Said::done()]);
    let call = Call::new("PATCH", &path()).in_session(&whole).saying(&json!({"events": ["webhook.*"]}));
    assert_eq!(answered(&script, call).await.status, 200);
}

#[tokio::test]
async fn what_he_makes_is_of_his_sessions_dialect_and_told_in_its_name() {
    let mut visitor = Visitor::of(&owner(), &[Capability::Edit]);
    visitor.session.dialect = DialectRef(&NUR);
    let script = script(&[]).holding("config", [visitor.row()]).saying("TransactWriteItems", [Said::done()]);
    let body = json!({"url": "https://hooks.example/", "events": ["*"]});
    let call = Call::new("POST", "/v1/webhooks/create").in_session(&visitor).saying(&body);
    assert_eq!(answered(&script, call).await.status, 201);
    let writes = written(&script);
    assert_eq!(writes[0]["Put"]["Item"]["dialect"], "nur");
    let told = writes.iter().find(|write| write["Put"]["TableName"] == "events").unwrap();
    let data = told["Put"]["Item"]["data"].as_str().unwrap();
    assert!(data.contains(&format!("\"actor\":\"{}\"", visitor.session.id)), "{data}");
}

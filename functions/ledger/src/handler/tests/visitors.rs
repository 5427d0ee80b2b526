//! What a visitor of the portal sees of deliveries: those of the webhooks that his session is for, and nothing that names others.

use postrider_domain::event::OwnType;
use postrider_domain::id::JobId;
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

fn foreign() -> Delivery {
    Delivery::pending(&event(), another().id, Timestamp::UNIX_EPOCH, 0)
}

fn known() -> Script {
    script(&[pending(), foreign()]).holding("config", [visitor().row(), row(&another())])
}

async fn asked(script: &Script, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let call = Call::new(method, path).in_session(&visitor());
    answered(script, body.into_iter().fold(call, Call::saying)).await
}

#[tokio::test]
async fn what_is_of_another_webhook_is_not_there() {
    let (webhook, delivery) = (format!("/v1/webhooks/{}", another().id), format!("/v1/deliveries/{}", foreign().id));
    let (since, nothing) = (json!({"since": "2026-01-01T00:00:00Z"}), json!({}));
    let send = json!({"webhook_id": another().id});
    for (method, path, body) in [
        ("GET", format!("{webhook}/deliveries"), None),
        ("GET", format!("{webhook}/stats"), None),
        ("POST", format!("{webhook}/recover"), Some(&since)),
        ("GET", format!("{webhook}/recover/rec_0000000000000001"), None),
        ("POST", format!("{webhook}/cancel-pending"), Some(&nothing)),
        ("GET", format!("{webhook}/cancel-pending/can_0000000000000001"), None),
        ("GET", format!("/v1/deliveries?webhook_id={}", another().id), None),
        ("GET", "/v1/deliveries?job_id=job_0000000000000001".to_owned(), None),
        ("GET", delivery.clone(), None),
        ("POST", format!("{delivery}/retry"), Some(&nothing)),
        ("POST", format!("{delivery}/cancel"), Some(&nothing)),
        ("POST", format!("/v1/events/{}/send", event().id), Some(&send)),
    ] {
        let answer = asked(&known(), method, &path, body).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (404, &json!("not_found")), "{method} {path}");
    }
    let own = asked(&known(), "GET", &format!("/v1/deliveries/{}", pending().id), None).await;
    assert_eq!((own.status, &own.body["webhook_id"]), (200, &json!(endpoint().id)));
}

#[tokio::test]
async fn what_goes_to_a_jobs_own_url_goes_to_no_webhook() {
    let job = JobId::short(Timestamp::UNIX_EPOCH, 1);
    let of_job = Delivery {
        job_id: Some(job),
        ..Delivery::pending(&event(), EndpointId::of_jobs(&owner().tenant_id()), Timestamp::UNIX_EPOCH, 0)
    };
    let script = script(std::slice::from_ref(&of_job)).holding("config", [visitor().row()]);
    assert_eq!(asked(&script, "GET", &format!("/v1/deliveries/{}", of_job.id), None).await.status, 404);
}

#[tokio::test]
async fn a_list_of_all_would_lead_on_by_anothers_id_so_he_names_a_webhook() {
    let answer = asked(&known(), "GET", "/v1/deliveries?status=undelivered", None).await;
    assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (422, &json!("webhook_id")));
}

#[tokio::test]
async fn an_event_that_tells_of_another_webhook_is_neither_sent_nor_shown() {
    let told = |webhook: &Endpoint| Event {
        event_type: OwnType::WebhookUpdated.into(),
        data: json!({"webhook_id": webhook.id, "actor": "postrider"}).to_string(),
        ours: true,
        ..event()
    };
    for (webhook, is_seen) in [(endpoint(), true), (another(), false)] {
        let told = told(&webhook);
        let delivery = Delivery::pending(&told, endpoint().id, Timestamp::UNIX_EPOCH, 0);
        let script = || {
            Script::default()
                .holding("config", owner_who_publishes().rows())
                .holding("config", [visitor().row(), row(&endpoint())])
                .holding("events", [json!(told)])
                .holding("deliveries", [json!(delivery)])
        };
        let path = format!("/v1/deliveries/{}?include=request", delivery.id);
        let shown = asked(&script(), "GET", &path, None).await;
        assert_eq!(shown.status, 200, "that it was told is no secret: {shown:?}");
        let lacking = shown.body["request"].get("lacking");
        assert_eq!(lacking, (!is_seen).then(|| json!("out_of_reach")).as_ref());
        assert!(!shown.body.to_string().contains(another().id.as_str()));
        let send = json!({"webhook_id": endpoint().id});
        let sent = asked(&script(), "POST", &format!("/v1/events/{}/send", told.id), Some(&send)).await;
        assert_eq!(sent.status, if is_seen { 409 } else { 404 }, "it has it already, or it is not there");
    }
}

//! The list of a tenant's events, those too that nobody asked for.

use postrider_api::{ApiError, Caller, Cursor, Paging, Request, Response};
use postrider_domain::event::EventType;
use postrider_domain::event_list::{Asked, Place};
use postrider_domain::invalid::Invalid;
use postrider_domain::time;

use crate::handler::Events;
use crate::view;

impl Events {
    pub(crate) async fn list(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        request.only_query(&["event", "changes", "since", "until", "limit", "cursor", "tenant_id"])?;
        let (tenant, reach) = self.credentials.tenant_asked_for(request, caller).await?;
        let asked = asked(request)?;
        let paging: Paging<Place> = Paging::of(request)?;
        let limit = usize::try_from(paging.limit).unwrap_or(1);
        let page = self.deliveries.events(&tenant, &asked, limit, paging.after.as_ref()).await?;
        let pagination = Cursor::pagination(page.next.map(|place| place.to_string()).as_deref());
        let events = page.rows.iter().filter(|event| reach.lists(event)).map(view::Listed::from).collect();
        Ok(Response::json(200, &view::List { events, pagination }))
    }
}

fn asked(request: &Request) -> Result<Asked, ApiError> {
    let time = |name| request.query(name)?.map(|text| time::parse(name, text)).transpose().map_err(ApiError::from);
    let (since, until) = (time("since")?, time("until")?);
    if since.zip(until).is_some_and(|(since, until)| since > until) {
        return Err(ApiError::unprocessable(Invalid::new("since", "a time not after `until`")));
    }
    let changes = match request.query("changes")? {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Invalid::new("changes", "`true` or `false`").into()),
    };
    // Also of a dialect that has left the deployment.
    Ok(Asked { event: request.query("event")?.map(EventType::kept).transpose()?, changes, since, until })
}

#[cfg(test)]
mod tests {
    use postrider_domain::event_list::pack;
    use replay::{Call, Said};
    use serde_json::json;

    use crate::handler::tests::{answered, before, provider, script, tenant};

    fn list(query: &str) -> Call {
        Call::new("GET", "/v1/events").by(&tenant()).query(query)
    }

    #[tokio::test]
    async fn an_event_is_listed_by_its_row_and_its_tenants_alone() {
        let row = pack(&[&before()]).remove(0).row;
        let script = script().saying_about("Query", format!("EVENTS#{}", tenant().tenant_id()), [Said::rows(&[row])]);
        let answer = answered(&script, list("event=invoice.paid&limit=7")).await;
        let event = json!({"id": before().id, "event": "invoice.paid", "timestamp": json!(before())["timestamp"]});
        assert_eq!(answer.body, json!({"events": [event], "pagination": {"has_more": false, "next_cursor": null}}));
    }

    #[tokio::test]
    async fn what_makes_no_sense_is_refused_by_its_name() {
        for (query, status, field) in [
            ("event=a%20b", 400, "event"),
            ("changes=yes", 400, "changes"),
            ("since=today", 400, "since"),
            ("until=7", 400, "until"),
            ("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", 422, "since"),
            ("cursor=AAAA", 400, "cursor"),
            ("limit=0", 400, "limit"),
            ("tenant_id=x", 400, "tenant_id"),
        ] {
            let answer = answered(&script(), list(query)).await;
            assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (status, &json!(field)), "{query}");
        }
        let nobodys = Call::new("GET", "/v1/events").by(&provider());
        assert_eq!(answered(&script(), nobodys).await.body["error"]["details"]["field"], "tenant_id");
    }
}

//! The signature doctor: a request that somebody received, and why its signature does not verify.

use postrider_api::{ApiError, Caller, Request, Response};
use postrider_aws::{Failure, event_row};
use postrider_domain::dialect::DialectRef;
use postrider_domain::doctor::{self, Known, OwnSecret, Received, Webhook};
use postrider_domain::endpoint::Endpoint;
use postrider_domain::id::EventId;
use postrider_domain::invalid::Invalid;
use postrider_domain::payload;
use postrider_domain::stored_secret::{ended_at, secrets_at};
use postrider_host::clock;

use super::Webhooks;
use crate::verify::{Question, Verdict, Whose};

impl Webhooks {
    pub(super) async fn verify(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        let Question { dialect, whose, headers, body, now } = Question::read(request.fields()?)?;
        let received = Received { headers: &headers, body: &body, at: now.unwrap_or_else(clock::now) };
        let (dialect, known) = match whose {
            Whose::Receiver(secret) => {
                // A provider key is of no tenant, and none of its requests are its own.
                caller.tenant()?;
                let usual = caller.dialect().map(|dialect| dialect.0);
                let found = || doctor::dialect_of(received, usual).map(DialectRef);
                let dialect = dialect.or_else(found).ok_or_else(|| Invalid::new("dialect", "a dialect's name"))?;
                (dialect, Known::Secret(secret))
            }
            Whose::Webhook(id, secret) => {
                let endpoint = self.find(caller, &id).await?;
                let dialect = dialect.unwrap_or(endpoint.dialect);
                let webhook = self.webhook(&endpoint, dialect, received).await?;
                let known = match secret {
                    Some(secret) => Known::Both(webhook, secret),
                    None => Known::Webhook(webhook),
                };
                (dialect, known)
            }
        };
        Ok(Response::json(200, &Verdict::from(doctor::examine(dialect.0, received, &known))))
    }

    /// What is known of a webhook: its secrets, those too that ended lately, and what the event says that the request is of.
    async fn webhook(
        &self,
        endpoint: &Endpoint,
        dialect: DialectRef,
        received: Received<'_>,
    ) -> Result<Webhook, Failure> {
        let (now, mut secrets) = (clock::now(), Vec::new());
        for stored in secrets_at(&endpoint.secrets, now).chain(ended_at(&endpoint.secrets, now)) {
            let secret = self.keyring.open(&endpoint.secret_owner(), &stored.sealed).await?;
            secrets.push(OwnSecret::opened(stored, secret));
        }
        let sent = if dialect == endpoint.dialect { self.sent(endpoint, received).await? } else { None };
        Ok(Webhook { secrets, sent })
    }

    /// The body of the event that a request is of, as it is for this webhook; nothing where no such event is known.
    async fn sent(&self, endpoint: &Endpoint, received: Received<'_>) -> Result<Option<Vec<u8>>, Failure> {
        let id = doctor::event_id_in(endpoint.dialect.0, received).and_then(|id| id.parse::<EventId>().ok());
        let Some(id) = id else { return Ok(None) };
        let row = self.events.get_item(&endpoint.tenant_id, &id).await?;
        let event = row.and_then(|row| event_row::read(row.into()).ok());
        Ok(event.and_then(|event| payload::body(endpoint.dialect.body, &event, &endpoint.id).ok()))
    }
}

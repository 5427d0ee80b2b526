//! What a webhook's owner may set, at creation and later.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postrider_aws::env::Retention;
use postrider_aws::http::{Fault, Fields};
use postrider_domain::dialect::DialectRef;
use postrider_domain::endpoint::{
    Endpoint, EndpointStatus, check_description, check_timeout, parse_headers, parse_patterns,
};
use postrider_domain::event::EventPattern;
use postrider_domain::invalid::Invalid;
use postrider_domain::retry::{check_schedule, horizon_seconds};

/// The fields of a request, checked each by itself; what is `None` stays as it is.
pub(crate) struct Changes {
    pub(crate) url: Option<String>,
    pub(crate) events: Option<Vec<EventPattern>>,
    status: Option<EndpointStatus>,
    description: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    timeout_seconds: Option<u16>,
    retry_schedule: Option<Vec<u32>>,
}

impl Changes {
    pub(crate) fn read(mut fields: Fields, dialect: DialectRef) -> Result<Self, Fault> {
        let events: Option<Vec<String>> = fields.take("events", "a list of event types")?;
        let headers: Option<BTreeMap<String, String>> = fields.take("headers", "an object of strings")?;
        let changes = Self {
            url: fields.take("url", "a public HTTPS URL")?,
            events: events.map(|names| parse_patterns(&names, dialect)).transpose()?,
            status: fields.take("status", "`active` or `disabled`")?,
            description: fields.take("description", "a string")?,
            headers: headers.map(|headers| parse_headers(headers, dialect)).transpose()?,
            timeout_seconds: fields.take("timeout_seconds", "a whole number of seconds")?,
            retry_schedule: fields.take("retry_schedule", "a list of whole numbers of seconds")?,
        };
        fields.finish()?;
        changes.timeout_seconds.map_or(Ok(()), check_timeout)?;
        changes.retry_schedule.as_deref().map_or(Ok(()), check_schedule)?;
        changes.description.as_deref().map_or(Ok(()), check_description)?;
        Ok(changes)
    }

    /// Carries the changes over.
    ///
    /// # Errors
    /// 422 when a calendar would outlast the rows that it needs.
    pub(crate) fn apply(self, endpoint: &mut Endpoint, retention: Retention, now: Timestamp) -> Result<(), Fault> {
        endpoint.url = self.url.unwrap_or_else(|| endpoint.url.clone());
        endpoint.events = self.events.unwrap_or_else(|| endpoint.events.clone());
        endpoint.headers = self.headers.unwrap_or_else(|| endpoint.headers.clone());
        endpoint.description = self.description.or_else(|| endpoint.description.take());
        endpoint.timeout_seconds = self.timeout_seconds.or(endpoint.timeout_seconds);
        endpoint.retry_schedule = self.retry_schedule.or_else(|| endpoint.retry_schedule.take());
        if let Some(status) = self.status.filter(|status| *status != endpoint.status) {
            endpoint.status = status;
            let disabled = status == EndpointStatus::Disabled;
            endpoint.disabled_reason = disabled.then(|| "disabled by request".to_owned());
            endpoint.disabled_at = disabled.then_some(now);
            // Whoever enables a webhook again gives it a fresh start.
            endpoint.failing_since = None;
        }
        let horizon = i64::try_from(horizon_seconds(&endpoint.retry_policy())).unwrap_or(i64::MAX);
        if horizon > retention.seconds {
            let days = retention.seconds / 86_400;
            let expected = format!("a calendar that ends within the {days} days for which events are kept");
            return Err(Fault::unprocessable(Invalid::new("retry_schedule", expected)));
        }
        Ok(())
    }
}

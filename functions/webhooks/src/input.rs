//! What a webhook's owner may set, at creation and later.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postrider_api::{ApiError, Fields};
use postrider_domain::dialect::DialectRef;
use postrider_domain::endpoint::{Endpoint, EndpointStatus, check_description, check_timeout, parse_patterns};
use postrider_domain::event::EventPattern;
use postrider_domain::filter;
use postrider_domain::invalid::Invalid;
use postrider_domain::own_header::parse_headers;
use postrider_domain::rate_limit::RateLimit;
use postrider_domain::retry::{check_schedule, horizon_seconds};
use postrider_host::env::Retention;
use serde_json::value::RawValue;

use crate::filter_test;

/// The fields of a request, checked each by itself: what is `None` stays as it is, and what is nothing within goes.
pub(crate) struct Changes {
    pub(crate) url: Option<String>,
    pub(crate) events: Option<Vec<EventPattern>>,
    status: Option<EndpointStatus>,
    description: Option<Option<String>>,
    headers: Option<Option<BTreeMap<String, String>>>,
    timeout_seconds: Option<Option<u16>>,
    retry_schedule: Option<Option<Vec<u32>>>,
    rate_limit: Option<Option<RateLimit>>,
    filter: Option<Option<String>>,
}

impl Changes {
    pub(crate) fn read(mut fields: Fields, dialect: DialectRef) -> Result<Self, ApiError> {
        let events: Option<Vec<String>> = fields.take_value("events", "a list of event types")?;
        let headers: Option<Option<BTreeMap<String, String>>> = fields.change("headers", "an object of strings")?;
        let filter: Option<Option<Box<RawValue>>> = fields.change(filter::FIELD, "a JSON object: an event pattern")?;
        let changes = Self {
            url: fields.take_value("url", "a public HTTPS URL")?,
            events: events.map(|names| parse_patterns(&names, dialect)).transpose()?,
            status: fields.take_value("status", "`active` or `disabled`")?,
            description: fields.change("description", "a string")?,
            headers: headers.map(|headers| headers.map(parse_headers).transpose()).transpose()?,
            timeout_seconds: fields.change("timeout_seconds", "a whole number of seconds")?,
            retry_schedule: fields.change("retry_schedule", "a list of whole numbers of seconds")?,
            rate_limit: fields.change("rate_limit", RateLimit::EXPECTED)?,
            filter: filter.map(|filter| filter.map(|raw| filter_test::given(&raw)).transpose()).transpose()?,
        };
        fields.finish()?;
        changes.timeout_seconds.flatten().map_or(Ok(()), check_timeout)?;
        changes.retry_schedule.as_ref().and_then(Option::as_deref).map_or(Ok(()), check_schedule)?;
        changes.description.as_ref().and_then(Option::as_deref).map_or(Ok(()), check_description)?;
        Ok(changes)
    }

    /// Carries the changes over.
    ///
    /// # Errors
    /// 422 when a retry schedule would outlast the rows that it needs.
    pub(crate) fn apply(self, endpoint: &mut Endpoint, retention: Retention, now: Timestamp) -> Result<(), ApiError> {
        let before = endpoint.clone();
        endpoint.url = self.url.unwrap_or_else(|| endpoint.url.clone());
        endpoint.events = self.events.unwrap_or_else(|| endpoint.events.clone());
        endpoint.headers = self.headers.map_or_else(|| endpoint.headers.clone(), Option::unwrap_or_default);
        endpoint.description = self.description.unwrap_or_else(|| endpoint.description.take());
        endpoint.timeout_seconds = self.timeout_seconds.unwrap_or(endpoint.timeout_seconds);
        endpoint.retry_schedule = self.retry_schedule.unwrap_or_else(|| endpoint.retry_schedule.take());
        endpoint.rate_limit = self.rate_limit.unwrap_or(endpoint.rate_limit);
        endpoint.filter = self.filter.unwrap_or_else(|| endpoint.filter.take());
        if let Some(status) = self.status.filter(|status| *status != endpoint.status) {
            endpoint.status = status;
            let disabled = status == EndpointStatus::Disabled;
            endpoint.disabled_reason = disabled.then(|| "disabled by request".to_owned());
            endpoint.disabled_at = disabled.then_some(now);
        }
        // What another URL failed at says nothing about this one, and whoever enables a webhook again gives it a fresh start.
        if (&before.url, before.status) != (&endpoint.url, endpoint.status) {
            endpoint.failing_since = None;
            endpoint.paused_until = None;
        }
        if before.rate_limit != endpoint.rate_limit {
            endpoint.parking = endpoint.parking.as_ref().map(|parking| parking.under_another_limit(now));
        }
        if may_have_mended(&before, endpoint) {
            *endpoint = endpoint.clone().given_another_chance(now);
        }
        let horizon = i64::try_from(horizon_seconds(&endpoint.retry_policy())).unwrap_or(i64::MAX);
        if horizon > retention.seconds {
            let days = retention.seconds / 86_400;
            let expected = format!("a retry schedule that ends within the {days} days for which events are kept");
            return Err(ApiError::unprocessable(Invalid::new("retry_schedule", expected)));
        }
        Ok(())
    }
}

/// Whether a change may have ended an outage.
fn may_have_mended(before: &Endpoint, after: &Endpoint) -> bool {
    (&before.url, before.status, &before.headers, before.timeout_seconds)
        != (&after.url, after.status, &after.headers, after.timeout_seconds)
}

//! What a webhook's owner may set, at creation and later.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postrider_api::{ApiError, Fields};
use postrider_domain::content_type::ContentType;
use postrider_domain::dialect::DialectRef;
use postrider_domain::endpoint::{
    Endpoint, EndpointStatus, check_description, check_name, check_timeout, parse_patterns,
};
use postrider_domain::event::EventPattern;
use postrider_domain::filter;
use postrider_domain::invalid::Invalid;
use postrider_domain::metadata::{Metadata, check_metadata};
use postrider_domain::own_header::{GivenValue, parse_headers};
use postrider_domain::rate_limit::RateLimit;
use postrider_domain::retry::{check_schedule, horizon_seconds};
use postrider_host::env::Retention;
use serde_json::value::RawValue;

use crate::filter_test;

/// The fields of a request, checked each by itself: what is `None` stays as it is, and what is nothing within goes.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) url: Option<String>,
    pub(crate) events: Option<Vec<EventPattern>>,
    status: Option<EndpointStatus>,
    name: Option<Option<String>>,
    description: Option<Option<String>>,
    metadata: Option<Option<Metadata>>,
    content_type: Option<Option<ContentType>>,
    headers: Option<Option<BTreeMap<String, GivenValue>>>,
    timeout_seconds: Option<Option<u16>>,
    retry_schedule: Option<Option<Vec<u32>>>,
    rate_limit: Option<Option<RateLimit>>,
    filter: Option<Option<String>>,
    trace: Option<Option<bool>>,
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
            name: fields.change("name", "a string")?,
            description: fields.change("description", "a string")?,
            metadata: fields.change("metadata", "an object of strings")?,
            content_type: fields.change("content_type", ContentType::EXPECTED)?,
            headers: headers.map(|headers| headers.map(parse_headers).transpose()).transpose()?,
            timeout_seconds: fields.change("timeout_seconds", "a whole number of seconds")?,
            retry_schedule: fields.change("retry_schedule", "a list of whole numbers of seconds")?,
            rate_limit: fields.change("rate_limit", RateLimit::EXPECTED)?,
            filter: filter.map(|filter| filter.map(|raw| filter_test::given(&raw)).transpose()).transpose()?,
            trace: fields.change("trace", "true or false")?,
        };
        fields.finish()?;
        changes.timeout_seconds.flatten().map_or(Ok(()), check_timeout)?;
        changes.retry_schedule.as_ref().and_then(Option::as_deref).map_or(Ok(()), check_schedule)?;
        changes.name.as_ref().and_then(Option::as_deref).map_or(Ok(()), check_name)?;
        changes.description.as_ref().and_then(Option::as_deref).map_or(Ok(()), check_description)?;
        changes.metadata.as_ref().and_then(Option::as_ref).map_or(Ok(()), check_metadata)?;
        if !dialect.own_content_type && changes.content_type.as_ref().is_some_and(Option::is_some) {
            let expected =
                "nothing: whoever has webhooks of this dialect gets `application/json`, as its provider promised";
            return Err(Invalid::new("content_type", expected).into());
        }
        Ok(changes)
    }

    /// That of its status alone.
    pub(crate) fn of_status(status: EndpointStatus) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    /// Carries the changes over.
    ///
    /// # Errors
    /// 422 when a retry schedule would outlast the rows that it needs; 400 when a header is to be kept that there is not.
    pub(crate) fn apply(self, endpoint: &mut Endpoint, retention: Retention, now: Timestamp) -> Result<(), ApiError> {
        let before = endpoint.clone();
        endpoint.url = self.url.unwrap_or_else(|| endpoint.url.clone());
        endpoint.events = self.events.unwrap_or_else(|| endpoint.events.clone());
        if let Some(headers) = self.headers {
            endpoint.take_headers(headers.unwrap_or_default())?;
        }
        endpoint.name = self.name.unwrap_or_else(|| endpoint.name.take());
        endpoint.description = self.description.unwrap_or_else(|| endpoint.description.take());
        endpoint.metadata = self.metadata.map_or_else(|| endpoint.metadata.clone(), Option::unwrap_or_default);
        endpoint.content_type = self.content_type.unwrap_or_else(|| endpoint.content_type.take());
        endpoint.timeout_seconds = self.timeout_seconds.unwrap_or(endpoint.timeout_seconds);
        endpoint.retry_schedule = self.retry_schedule.unwrap_or_else(|| endpoint.retry_schedule.take());
        endpoint.rate_limit = self.rate_limit.unwrap_or(endpoint.rate_limit);
        endpoint.filter = self.filter.unwrap_or_else(|| endpoint.filter.take());
        endpoint.trace = self.trace.map_or(endpoint.trace, Option::unwrap_or_default);
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
    (&before.url, before.status, before.timeout_seconds, before.content_type())
        != (&after.url, after.status, after.timeout_seconds, after.content_type())
        || are_others(before, after)
}

/// Whether the headers are others than they were, seen before anything is sealed. A value that is given counts as another one: nobody
/// can ask by it what the one before was.
pub(crate) fn are_others(before: &Endpoint, after: &Endpoint) -> bool {
    (&before.headers, &before.sealed_headers) != (&after.headers, &after.sealed_headers)
}

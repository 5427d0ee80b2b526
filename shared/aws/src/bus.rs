//! The stack's own event bus, on which workers hear of new jobs.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_types::SdkConfig;
use postrider_domain::detail_type::DetailType;
use postrider_host::env::{self, BadSetting};

use crate::error::{AwsError, Failure, failed};

/// What Postrider's own events name as their source.
const SOURCE: &str = "postrider";

/// The bus.
#[derive(Clone)]
pub struct Bus {
    client: Client,
    name: String,
}

impl Bus {
    /// From `EVENT_BUS`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::of(sdk, &env::var("EVENT_BUS")?))
    }

    /// The bus of this name.
    pub fn of(sdk: &SdkConfig, name: &str) -> Self {
        Self { client: Client::new(sdk), name: name.to_owned() }
    }

    /// Puts one event on the bus.
    ///
    /// # Errors
    /// When it was not taken; the call can succeed while its one entry fails.
    pub async fn put(&self, detail_type: DetailType, detail: &str) -> Result<(), Failure> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(detail_type.as_str())
            .detail(detail)
            .build();
        let answer = self.client.put_events().entries(entry).send().await.map_err(failed("PutEvents"))?;
        match answer.entries().iter().find_map(|entry| entry.error_code()) {
            Some(code) if answer.failed_entry_count() > 0 => Err(AwsError::refused("PutEvents", code)),
            _ => Ok(()),
        }
    }
}

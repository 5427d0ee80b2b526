//! Events that do not come by HTTP: `Postrider Event` on the stack's bus, and direct invocation of this function. Both may
//! publish for any tenant; who may use them is for IAM to say.

use lambda_runtime::Error;
use postrider_api::invocation::Invocation;
use postrider_api::trigger::{BusEvent, Trigger};
use postrider_api::{ApiError, Fields, serve};
use postrider_domain::detail_type::DetailType;
use postrider_domain::event::Event;
use postrider_domain::invalid::Invalid;
use postrider_domain::traceparent;
use postrider_host::deadline::{self, Waiting};
use serde_json::Value;

use crate::handler::Events;
use crate::publish::{Producer, Publication, Source};
use crate::view;

impl Events {
    /// Answers whatever invoked us.
    ///
    /// # Errors
    /// When we failed at something that has no HTTP caller to tell: the invoker, or Lambda, tries again.
    pub async fn answer(&self, event: Invocation) -> Result<Value, Error> {
        let until = event.context.deadline;
        match Trigger::of(&event.payload) {
            Trigger::Http => Ok(serde_json::to_value(serve(self, event).await)?),
            Trigger::Bus(event) => {
                deadline::within(until, Waiting::Nobody, self.hear(&event)).await.map(|()| Value::Null)
            }
            Trigger::Records(_) | Trigger::NoBatch | Trigger::Direct => {
                let work = self.invoked(event.payload.get(), &event.context.request_id);
                deadline::within(until, Waiting::Nobody, work).await
            }
        }
    }

    /// Takes an event from whoever invoked the function, who reads what is wrong in its answer: it is set aside nowhere
    /// else. Lambda tries an asynchronous invocation again under the same request id, which makes it one event.
    async fn invoked(&self, payload: &str, request_id: &str) -> Result<Value, Error> {
        match self.publish_for(payload, Source::Direct, Some(request_id)).await {
            Ok(event) => Ok(serde_json::to_value(view::accepted(&event))?),
            Err(error) => match error.cause() {
                Some(cause) => Err(cause.to_owned().into()),
                None => {
                    tracing::warn!(request_id, code = error.code(), "trigger.refused");
                    Ok(serde_json::to_value(error.body())?)
                }
            },
        }
    }

    /// Takes an event from the bus. Whoever put it there is not waiting for an answer, so what is wrong is set aside, with
    /// the reason.
    async fn hear(&self, event: &BusEvent) -> Result<(), Error> {
        let taken = if event.detail_type == DetailType::Event.as_str() {
            self.publish_for(event.detail.get(), Source::Bus, Some(&event.id)).await.map(|_| ())
        } else {
            let expected =
                format!("`{}`, or `{}` for a report on a job", DetailType::Event.as_str(), DetailType::Job.as_str());
            Err(Invalid::new("detail-type", expected).into())
        };
        match taken {
            Ok(()) => Ok(()),
            Err(error) => match error.cause() {
                Some(cause) => Err(cause.to_owned().into()),
                None => Ok(self.triggers.put(&event.refused(&error)).await?),
            },
        }
    }

    /// Publishes `{tenant_id, event, data, id?, traceparent?}`; `otherwise` is the key where it has no id of its own.
    async fn publish_for(&self, text: &str, source: Source, otherwise: Option<&str>) -> Result<Event, ApiError> {
        let mut fields = Fields::read(text.as_bytes())?;
        let from: Option<String> = fields.take_value(traceparent::NAME, traceparent::EXPECTED)?;
        let from = from.map(|from| from.parse()).transpose()?;
        let mut publication = Publication::read(fields, &Producer::Provider, None)?.following(from);
        publication.key_unless_given(otherwise);
        // Boxed: this and what leads here are more futures inside one another than the compiler lays out.
        Box::pin(self.judge(&publication, source)).await?;
        self.accept(publication, &Producer::Provider, source).await
    }
}

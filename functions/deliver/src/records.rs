//! Messages as SQS hands them over: each beside what it says.

use aws_lambda_events::sqs::SqsMessage;
use postrider_api::trigger;
use postrider_domain::message::Message;
use serde_json::value::RawValue;

/// A record, and the message in it.
pub(crate) type Received = (SqsMessage, Message);

/// A record as it came. What is misshapen keeps its id, so that it alone comes again.
pub(crate) fn read(record: &RawValue) -> SqsMessage {
    trigger::message(record).unwrap_or_else(|id| {
        let mut message = SqsMessage::default();
        message.message_id = Some(id);
        message
    })
}

/// What it says, or why it cannot be understood.
pub(crate) fn parse(record: &SqsMessage) -> Result<Message, String> {
    Message::parse(record.body.as_deref().unwrap_or_default())
}

/// The records at these places.
pub(crate) fn those_at(places: &[usize], records: Vec<SqsMessage>) -> Vec<SqsMessage> {
    records.into_iter().enumerate().filter(|(place, _)| places.contains(place)).map(|(_, record)| record).collect()
}

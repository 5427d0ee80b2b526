//! The stack's queues: what waits in them, and how they are set.

use aws_sdk_sqs::types::QueueAttributeName;

use super::aws::Aws;

impl Aws {
    pub(crate) async fn send(&self, queue: &str, body: &str) {
        let sent = self.sqs.send_message().queue_url(queue).message_body(body).send().await;
        sent.expect("the queue should take a message");
    }

    /// How many messages wait in a queue.
    pub(crate) async fn waiting(&self, queue: &str) -> u64 {
        self.attribute(queue, QueueAttributeName::ApproximateNumberOfMessages).await
    }

    /// How many messages of a queue a function has in hand.
    pub(crate) async fn in_flight(&self, queue: &str) -> u64 {
        self.attribute(queue, QueueAttributeName::ApproximateNumberOfMessagesNotVisible).await
    }

    /// How long a message that was received and not deleted stays invisible, in seconds.
    pub(crate) async fn visibility(&self, queue: &str) -> u64 {
        self.attribute(queue, QueueAttributeName::VisibilityTimeout).await
    }

    pub(crate) async fn set_visibility(&self, queue: &str, seconds: u64) {
        let (name, value) = (QueueAttributeName::VisibilityTimeout, seconds.to_string());
        let set = self.sqs.set_queue_attributes().queue_url(queue).attributes(name, value).send().await;
        set.expect("the queue should take another visibility time-out");
    }

    /// Throws away everything that is in a queue.
    pub(crate) async fn purge(&self, queue: &str) {
        self.sqs.purge_queue().queue_url(queue).send().await.expect("the queue should be purged");
    }

    /// The bodies of up to ten messages of a queue, which stay in it unseen for a while.
    pub(crate) async fn peek(&self, queue: &str) -> Vec<String> {
        let request = self.sqs.receive_message().queue_url(queue).max_number_of_messages(10);
        let answer = request.visibility_timeout(300).send().await.expect("the queue should be read");
        answer.messages.unwrap_or_default().into_iter().filter_map(|message| message.body).collect()
    }

    /// The bodies of all messages of a queue that nobody has in hand, which are seen again after a moment.
    pub(crate) async fn all_of(&self, queue: &str) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            let request = self.sqs.receive_message().queue_url(queue).max_number_of_messages(10).visibility_timeout(5);
            let messages = request.send().await.expect("the queue should be read").messages.unwrap_or_default();
            if messages.is_empty() {
                return found;
            }
            found.extend(messages.into_iter().filter_map(|message| message.body));
        }
    }

    /// Takes the one message that contains `part` out of a queue, if it is there; all others stay.
    pub(crate) async fn take(&self, queue: &str, part: &str) -> Option<String> {
        self.take_each(queue, part).await.pop()
    }

    /// Takes every message that contains `part` out of a queue; how many there were.
    pub(crate) async fn take_all(&self, queue: &str, part: &str) -> u64 {
        self.take_each(queue, part).await.len() as u64
    }

    async fn take_each(&self, queue: &str, part: &str) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            let request = self.sqs.receive_message().queue_url(queue).max_number_of_messages(10).visibility_timeout(1);
            let messages = request.send().await.expect("the queue should be read").messages.unwrap_or_default();
            if messages.is_empty() {
                return found;
            }
            for message in messages {
                let body = message.body.unwrap_or_default();
                if body.contains(part) {
                    let receipt = message.receipt_handle.unwrap_or_default();
                    let deleted = self.sqs.delete_message().queue_url(queue).receipt_handle(receipt).send().await;
                    deleted.expect("a message that was received can be deleted");
                    found.push(body);
                }
            }
        }
    }

    async fn attribute(&self, queue: &str, name: QueueAttributeName) -> u64 {
        let request = self.sqs.get_queue_attributes().queue_url(queue).attribute_names(name.clone());
        let answer = request.send().await.expect("the queue should tell its attributes");
        let value = answer.attributes().and_then(|attributes| attributes.get(&name)?.parse().ok());
        value.unwrap_or_else(|| panic!("no {name} of {queue}"))
    }
}

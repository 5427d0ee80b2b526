//! What AWS says to one call.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::item::item;

/// An answer, and how long it takes to come.
#[derive(Debug, Clone)]
pub struct Said {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) after: Duration,
}

impl Said {
    /// That it was carried out.
    pub fn done() -> Self {
        Self::body(json!({}))
    }

    /// A failure that the SDK tries again: for all that it can tell, the call was carried out.
    pub fn lost() -> Self {
        Self::of(500, json!({"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "lost"}))
    }

    /// That DynamoDB has no capacity left, which the SDK tries again.
    pub fn throttled() -> Self {
        let kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
        Self::of(400, json!({"__type": kind, "message": "slow down"}))
    }

    /// A transaction that these rows refuse, each as it stands there; a code of another kind stands for no row.
    pub fn cancelled(reasons: &[Result<Value, &str>]) -> Self {
        let reason = |reason: &Result<Value, &str>| match reason {
            Ok(row) => json!({"Code": "ConditionalCheckFailed", "Item": item(row)}),
            Err(code) => json!({"Code": code}),
        };
        let reasons: Vec<_> = reasons.iter().map(reason).collect();
        let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        Self::of(400, json!({"__type": kind, "message": "cancelled", "CancellationReasons": reasons}))
    }

    /// A put or an update that this row refuses.
    pub fn refused(row: &impl Serialize) -> Self {
        let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
        Self::of(400, json!({"__type": kind, "message": "refused", "Item": item(row)}))
    }

    /// The row of a GetItem.
    pub fn row(row: &impl Serialize) -> Self {
        Self::body(json!({"Item": item(row)}))
    }

    /// The rows of a Query that ends with them.
    pub fn rows<R: Serialize>(rows: &[R]) -> Self {
        Self::body(json!({"Items": rows.iter().map(item).collect::<Vec<_>>()}))
    }

    /// The text of a secret.
    pub fn secret(text: &str) -> Self {
        Self::body(json!({"SecretString": text}))
    }

    /// This body.
    pub fn body(body: Value) -> Self {
        Self::of(200, body)
    }

    fn of(status: u16, body: Value) -> Self {
        Self { status, body, after: Duration::ZERO }
    }

    /// The same, so many seconds later.
    #[must_use]
    pub fn after(self, seconds: u64) -> Self {
        Self { after: Duration::from_secs(seconds), ..self }
    }
}

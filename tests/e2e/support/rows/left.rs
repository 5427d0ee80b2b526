//! What is left of a tenant, wherever it lies.

use super::{Row, Rows, ago, s};

/// The rows that name a tenant.
#[derive(Debug)]
pub(crate) struct Left {
    /// Configuration.
    pub(crate) config: Vec<Row>,
    /// Jobs.
    pub(crate) jobs: Vec<Row>,
    /// Deliveries.
    pub(crate) deliveries: Vec<Row>,
}

impl Rows {
    /// Every row that names a tenant, in its key or elsewhere; events are left out, and so are moved attempts.
    pub(crate) async fn left_of(&self, tenant: &str) -> Left {
        let tables = &self.stack.tables;
        let deliveries = self.naming(&tables.deliveries, tenant).await;
        let deliveries = deliveries.into_iter().filter(|row| row.contains_key("event_id")).collect();
        Left {
            config: self.naming(&tables.config, tenant).await,
            jobs: self.naming(&tables.jobs, tenant).await,
            deliveries,
        }
    }

    async fn naming(&self, table: &str, tenant: &str) -> Vec<Row> {
        let pages = self.client.scan().table_name(table).consistent_read(true).into_paginator().items().send();
        let rows: Vec<Row> = pages.collect::<Result<_, _>>().await.expect("the rows should be read");
        rows.into_iter().filter(|row| format!("{row:?}").contains(tenant)).collect()
    }

    /// Lets a tenant's deletion have been asked for so long ago.
    pub(crate) async fn deletion_asked_for_ago(&self, tenant: &str, seconds: i64) {
        let key = [("pk".to_owned(), s("DELETIONS")), ("sk".to_owned(), s(format!("TENANT#{tenant}")))];
        self.set(&self.stack.tables.config, key.into(), "since", s(ago(seconds))).await;
    }
}

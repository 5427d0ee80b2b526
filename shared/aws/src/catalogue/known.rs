//! A type as it was read, with its schemas as they are compiled.

use std::sync::{Arc, OnceLock};

use postrider_domain::catalogue::{CataloguedType, Standings};
use postrider_domain::schema::{Fault, Schema};

use crate::error::Failure;
use crate::rows;

/// What judging needs of a type.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) example: Option<String>,
    pub(super) standings: Standings<Arc<LazySchema>>,
}

impl Known {
    /// A row's; schemas that were compiled `before` are taken over.
    pub(super) fn of(row: CataloguedType, before: Option<&Self>) -> Self {
        let compiled: Vec<&Arc<LazySchema>> =
            before.into_iter().flat_map(|before| before.standings.schemas()).collect();
        let schema = |text: String| match compiled.iter().find(|known| known.text == text) {
            Some(known) => Arc::clone(known),
            None => Arc::new(LazySchema { text, compiled: OnceLock::new() }),
        };
        Self { example: row.example, standings: row.standings.map(schema) }
    }

    /// What it takes, in bytes as it is written.
    pub(super) fn bytes(&self) -> usize {
        let schemas: usize = self.standings.schemas().map(|schema| schema.text.len()).sum();
        schemas + self.example.as_ref().map_or(0, String::len)
    }
}

/// A schema that is compiled when it is judged by for the first time.
#[derive(Debug)]
pub(super) struct LazySchema {
    text: String,
    compiled: OnceLock<Result<Schema, Fault>>,
}

impl LazySchema {
    /// The schema, ready to judge by.
    ///
    /// # Errors
    /// When it is none for this version. What has it is not taken then: nobody could judge it.
    pub(super) fn compiled(&self) -> Result<&Schema, Failure> {
        let compiled = self.compiled.get_or_init(|| {
            let compiled = Schema::new(&self.text);
            if let Err(fault) = &compiled {
                rows::unreadable("EVENT_TYPES", &fault.path);
            }
            compiled
        });
        compiled.as_ref().map_err(|_| Failure::unreadable("a schema", "it is none"))
    }
}

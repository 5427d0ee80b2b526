//! Pages of a query, each from the id after which the one before it ended.

use std::str::FromStr;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use crate::error::{AwsError, failed};
use crate::item::Item;
use crate::rows::id_in;

/// A page, and the id after which the next one begins; an id is what follows a prefix in an attribute.
///
/// A page may end at a row whose key is no id, where no cursor can stand: then the next one begins after the last id before it,
/// or, where there is none, this one goes on. Whoever took that for the list's end would hide all that follows.
pub(crate) async fn of<T: FromStr>(
    query: QueryFluentBuilder,
    call: &'static str,
    (name, prefix): (&str, &str),
) -> Result<(Vec<Item>, Option<T>), AwsError> {
    let (mut query, mut items) = (query, Vec::new());
    loop {
        let answer = query.clone().send().await.map_err(failed(call))?;
        items.extend(answer.items.unwrap_or_default());
        let Some(last) = answer.last_evaluated_key else { return Ok((items, None)) };
        let id = |item| id_in(item, name, prefix);
        if let Some(next) = id(&last).or_else(|| items.iter().rev().find_map(id)) {
            return Ok((items, Some(next)));
        }
        query = query.set_exclusive_start_key(Some(last));
    }
}

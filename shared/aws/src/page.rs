//! Pages of a query, each from the id after which the one before it ended.

use std::str::FromStr;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use crate::error::{Failure, failed};
use crate::item::Item;
use crate::rows::id_in;

/// A page of a list, and where the next one begins.
#[derive(Debug)]
pub struct Page<T, Id> {
    /// The rows; may be short or empty although more follow.
    pub rows: Vec<T>,
    /// The id after which the next page begins.
    pub next: Option<Id>,
}

/// A page, and the id after which the next one begins; an id is what follows a prefix in an attribute.
///
/// A page may end at a row whose key is no id, where no cursor can stand: then the next one begins after the last id before it,
/// or, where there is none, this one goes on. Whoever took that for the list's end would hide all that follows.
pub(crate) async fn of<Id: FromStr>(
    query: QueryFluentBuilder,
    call: &'static str,
    (name, prefix): (&str, &str),
) -> Result<Page<Item, Id>, Failure> {
    let (mut query, mut items) = (query, Vec::new());
    loop {
        let answer = query.clone().send().await.map_err(failed(call))?;
        items.extend(answer.items.unwrap_or_default());
        let Some(last) = answer.last_evaluated_key else { return Ok(Page { rows: items, next: None }) };
        let id = |item| id_in(item, name, prefix);
        if let Some(next) = id(&last).or_else(|| items.iter().rev().find_map(id)) {
            return Ok(Page { rows: items, next: Some(next) });
        }
        query = query.set_exclusive_start_key(Some(last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::text_of;
    use crate::sdk;
    use aws_sdk_dynamodb::Client;
    use replay::{Said, Script, item};
    use serde_json::{Value, json};

    fn row(id: &str) -> Value {
        json!({"id": format!("N#{id}")})
    }

    fn answer(ids: &[&str], last: Option<&str>) -> Said {
        let mut body = json!({"Items": ids.iter().map(|id| item(&row(id))).collect::<Vec<_>>()});
        if let Some(last) = last {
            body["LastEvaluatedKey"] = item(&row(last));
        }
        Said::body(body)
    }

    /// The ids of a page, and where the next one begins; and after what each of its calls began.
    async fn paged(answers: Vec<Said>) -> ((Vec<String>, Option<u8>), Vec<Value>) {
        let script = Script::new(answers);
        let query = Client::new(&script.sdk(sdk::over)).query().table_name("t").key_condition_expression("pk = 1");
        let page = of(query, "a test", ("id", "N#")).await.unwrap();
        let ids = page.rows.iter().filter_map(|item| text_of(item, "id")).map(str::to_owned).collect();
        let starts = script.asked("Query").iter().map(|asked| asked["ExclusiveStartKey"].clone()).collect();
        ((ids, page.next), starts)
    }

    #[tokio::test]
    async fn a_list_goes_on_past_what_no_cursor_can_name() {
        let (page, _) = paged(vec![answer(&["1", "2"], Some("2"))]).await;
        assert_eq!(page, (vec!["N#1".to_owned(), "N#2".to_owned()], Some(2)));
        let (page, _) = paged(vec![answer(&["1", "x"], Some("x"))]).await;
        assert_eq!(page.1, Some(1), "the next page begins after the last that has an id");
        let (page, starts) = paged(vec![answer(&["x"], Some("x")), answer(&[], Some("y")), answer(&["3"], None)]).await;
        assert_eq!(page, (vec!["N#x".to_owned(), "N#3".to_owned()], None), "this page goes on");
        assert_eq!(starts, [Value::Null, row("x"), row("y")]);
    }
}

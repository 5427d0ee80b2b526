//! What AWS answers, written down beforehand: for what no emulator does, such as refusing a transaction's second try, and for
//! tests that are over in milliseconds.
//!
//! What is asked and not written down fails the test. So a script without a write says that nothing is written.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::{Map, Value, json};

use crate::Said;
use crate::item::{item, plain};

/// An AWS that says this.
#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<Scene>>);

#[derive(Default)]
struct Scene {
    lines: Vec<Line>,
    tables: HashMap<String, Vec<Value>>,
    asked: Vec<Asked>,
}

/// What is said to what is asked, if anything.
type Answers = Box<dyn FnMut(&Value) -> Option<Said> + Send>;

/// Answers, one after another, to calls of an operation that speak of something; of any where these are empty.
struct Line {
    operation: &'static str,
    about: String,
    answer: Answers,
}

#[derive(Clone)]
struct Asked {
    operation: String,
    body: Value,
}

impl Script {
    /// These answers one after another, whatever is asked.
    pub fn new<A: IntoIterator<Item = Said, IntoIter: Send + 'static>>(answers: A) -> Self {
        Self::default().saying("", answers)
    }

    /// The same with these answers to calls of an operation such as `GetItem`, one after another. What is written down first
    /// counts first.
    #[must_use]
    pub fn saying<A: IntoIterator<Item = Said, IntoIter: Send + 'static>>(
        self,
        operation: &'static str,
        answers: A,
    ) -> Self {
        self.saying_about(operation, "", answers)
    }

    /// The same for those calls alone whose body has this text in it, such as an id: for calls that are made side by side.
    #[must_use]
    pub fn saying_about<A: IntoIterator<Item = Said, IntoIter: Send + 'static>>(
        self,
        operation: &'static str,
        about: impl Into<String>,
        answers: A,
    ) -> Self {
        let mut answers = answers.into_iter();
        self.line(operation, about.into(), Box::new(move |_| answers.next()))
    }

    /// The same where what is said to an operation's calls follows from what they ask, without DynamoDB's types: for a table that a
    /// test plays itself. It says nothing to what is none of its own.
    #[must_use]
    pub fn answering(
        self,
        operation: &'static str,
        answer: impl FnMut(&Value) -> Option<Said> + Send + 'static,
    ) -> Self {
        self.line(operation, String::new(), Box::new(answer))
    }

    /// The same where transactions are carried out: GetItem finds the rows that they have put.
    #[must_use]
    pub fn carrying_out(self) -> Self {
        let rows: Arc<Mutex<Vec<Value>>> = Arc::default();
        let written = Arc::clone(&rows);
        let write = move |asked: &Value| {
            let puts = asked["TransactItems"].as_array()?.iter().map(|write| write["Put"]["Item"].clone());
            written.lock().unwrap_or_else(PoisonError::into_inner).extend(puts);
            Some(Said::done())
        };
        let read = move |asked: &Value| {
            let rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
            let is_it = |row: &&Value| row["pk"] == asked["Key"]["pk"] && row["sk"] == asked["Key"]["sk"];
            rows.iter().find(is_it).map(Said::row)
        };
        self.answering("TransactWriteItems", write).answering("GetItem", read)
    }

    fn line(self, operation: &'static str, about: String, answer: Answers) -> Self {
        self.scene().lines.push(Line { operation, about, answer });
        self
    }

    /// The same with these rows in a table, as plain JSON: GetItem and BatchGetItem find them where no line says otherwise, and
    /// no others.
    #[must_use]
    pub fn holding(self, table: &str, rows: impl IntoIterator<Item = Value>) -> Self {
        self.scene().tables.entry(table.to_owned()).or_default().extend(rows);
        self
    }

    /// The same with what another says behind it.
    #[must_use]
    pub fn also(self, other: Self) -> Self {
        let other = std::mem::take(&mut *other.scene());
        let mut scene = self.scene();
        scene.lines.extend(other.lines);
        for (table, rows) in other.tables {
            scene.tables.entry(table).or_default().extend(rows);
        }
        drop(scene);
        self
    }

    /// The configuration of clients that hear it, made by `over` of an HTTP client, a region and credentials: so there may stand
    /// between them whatever stands between a function and AWS.
    pub fn sdk<C>(&self, over: impl FnOnce(SharedHttpClient, &str, Credentials) -> C) -> C {
        let credentials = Credentials::new("id", "key", None, None, "a test");
        over(SharedHttpClient::new(self.clone()), "eu-central-1", credentials)
    }

    /// The bodies of what was asked by calls of an operation, without DynamoDB's types.
    pub fn asked(&self, operation: &str) -> Vec<Value> {
        let scene = self.scene();
        scene.asked.iter().filter(|asked| asked.operation == operation).map(|asked| asked.body.clone()).collect()
    }

    /// Which operations were called, one after another.
    pub fn operations(&self) -> Vec<String> {
        self.scene().asked.iter().map(|asked| asked.operation.clone()).collect()
    }

    fn scene(&self) -> MutexGuard<'_, Scene> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scene {
    fn answer(&mut self, Asked { operation, body }: &Asked) -> Option<Said> {
        let text = body.to_string();
        let is_for = |line: &Line| ["", operation].contains(&line.operation) && text.contains(&line.about);
        let mut lines = self.lines.iter_mut().filter(|line| is_for(line));
        lines.find_map(|line| (line.answer)(body)).or_else(|| match operation.as_str() {
            "GetItem" => {
                let rows = self.tables.get(body["TableName"].as_str()?)?;
                Some(find(rows, &body["Key"]).map_or_else(Said::done, Said::row))
            }
            "BatchGetItem" => {
                let of_table = |(table, wanted): (&String, &Value)| {
                    let (rows, keys) = (self.tables.get(table)?, wanted["Keys"].as_array()?);
                    let found: Vec<Value> = keys.iter().filter_map(|key| find(rows, key)).map(item).collect();
                    Some((table.clone(), Value::Array(found)))
                };
                let tables = body["RequestItems"].as_object()?.iter().map(of_table);
                Some(Said::body(json!({"Responses": tables.collect::<Option<Map<_, _>>>()?})))
            }
            _ => None,
        })
    }
}

fn find<'a>(rows: &'a [Value], key: &Value) -> Option<&'a Value> {
    let key = key.as_object()?;
    rows.iter().find(|row| key.iter().all(|(name, value)| row.get(name) == Some(value)))
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

impl HttpClient for Script {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // Scheduler's calls have no target, and there is one of them.
        let operation = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next());
        let operation = operation.unwrap_or("CreateSchedule").to_owned();
        let body = request.body().bytes().and_then(|bytes| serde_json::from_slice(bytes).ok()).map(plain);
        let asked = Asked { operation, body: body.unwrap_or_default() };
        let said = {
            let mut scene = self.scene();
            scene.asked.push(asked.clone());
            scene.answer(&asked)
        };
        let said =
            said.unwrap_or_else(|| panic!("nothing more is to be asked, and not {} {}", asked.operation, asked.body));
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(said.after).await;
            let status = said.status.try_into().expect("an HTTP status");
            Ok(HttpResponse::new(status, SdkBody::from(said.body.to_string())))
        })
    }
}

//! A small DNS zone that answers as its owner pleases.

use std::collections::HashMap;
use std::io::{Error, ErrorKind, Result};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, pending};

/// More aliases in a row than a resolver follows.
const LONGEST_CHAIN: usize = 16;

/// What a name server says about a name.
#[derive(Debug, Clone)]
pub(in super::super) enum Answer {
    /// A and AAAA records.
    Addresses(Vec<IpAddr>),
    /// A CNAME record.
    Alias(&'static str),
    /// NXDOMAIN.
    Missing,
    /// A and AAAA records, after so long.
    Late(Duration, Vec<IpAddr>),
    /// Nothing, ever.
    Silence,
}

/// Names with what is said about each, time after time; the last answer stays.
#[derive(Debug)]
pub(in super::super) struct Zone {
    answers: Mutex<HashMap<String, Vec<Answer>>>,
    asked: Mutex<Vec<String>>,
}

impl Zone {
    pub(in super::super) fn of(records: &[(&str, Answer)]) -> Arc<Self> {
        Self::with(records.iter().map(|(name, answer)| ((*name).to_owned(), vec![answer.clone()])).collect())
    }

    pub(in super::super) fn changing(name: &str, answers: Vec<Answer>) -> Arc<Self> {
        Self::with(HashMap::from([(name.to_owned(), answers)]))
    }

    fn with(answers: HashMap<String, Vec<Answer>>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers), asked: Mutex::new(Vec::new()) })
    }

    /// The names that were asked for, aliases aside.
    pub(in super::super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(in super::super) fn answer(self: Arc<Self>, name: String) -> BoxFuture<'static, Result<Vec<IpAddr>>> {
        self.asked.lock().unwrap().push(name.clone());
        let missing = Err(Error::from(ErrorKind::NotFound));
        let mut next = name;
        for _ in 0..LONGEST_CHAIN {
            match self.say(&next) {
                Answer::Addresses(found) => return async { Ok(found) }.boxed(),
                Answer::Late(after, found) => {
                    return async move {
                        tokio::time::sleep(after).await;
                        Ok(found)
                    }
                    .boxed();
                }
                Answer::Alias(name) => next = name.to_owned(),
                Answer::Missing => break,
                Answer::Silence => return pending().boxed(),
            }
        }
        async { missing }.boxed()
    }

    fn say(&self, name: &str) -> Answer {
        let mut answers = self.answers.lock().unwrap();
        match answers.get_mut(name) {
            None => Answer::Missing,
            Some(queue) if queue.len() > 1 => queue.remove(0),
            Some(queue) => queue[0].clone(),
        }
    }
}

//! What a warm process reads once for everybody: one load at a time, however many wait for it, and a failure is remembered
//! for a second, so that an outage is asked now and then, not by each message of every batch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::deadline;

/// How long a failure stands for those who come after it.
const FAILURE: Duration = Duration::from_secs(1);

/// One such value.
pub struct Remembered<T, E> {
    good_for: Duration,
    loaded: Mutex<Loaded<T, E>>,
    /// Held by whoever loads. Those whom the value serves need not wait for him.
    loading: tokio::sync::Mutex<()>,
}

/// What was loaded last, and what failed since: a failure takes no value away from those whom it serves.
struct Loaded<T, E> {
    value: Option<(Instant, T)>,
    failure: Option<(Instant, E)>,
}

impl<T: Clone, E: Clone> Remembered<T, E> {
    /// A value that is loaded anew once it is so old; `Duration::MAX` for never.
    pub fn new(good_for: Duration) -> Self {
        let loaded = Mutex::new(Loaded { value: None, failure: None });
        Self { good_for, loaded, loading: tokio::sync::Mutex::default() }
    }

    /// The value, loaded if need be; whoever asks meanwhile waits for the same load.
    pub async fn get(&self, load: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.get_if(|_| true, load).await
    }

    /// The same, where a value that does not serve is loaded anew, at most once a second.
    pub async fn get_if(&self, serves: impl Fn(&T) -> bool, load: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        if let Some(known) = self.known(&serves) {
            return known;
        }
        let _loading = self.loading.lock().await;
        if let Some(known) = self.known(&serves) {
            return known;
        }
        let result = load.await;
        let (now, mut loaded) = (Instant::now(), self.loaded.lock().unwrap_or_else(PoisonError::into_inner));
        match &result {
            Ok(value) => *loaded = Loaded { value: Some((now, value.clone())), failure: None },
            // Whose own time was over says nothing about those who come after him.
            Err(_) if deadline::left().is_zero() => {}
            Err(error) => loaded.failure = Some((now, error.clone())),
        }
        result
    }

    fn known(&self, serves: impl Fn(&T) -> bool) -> Option<Result<T, E>> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, value)) = &loaded.value {
            let good_for = if serves(value) { self.good_for } else { FAILURE };
            if at.elapsed() < good_for {
                return Some(Ok(value.clone()));
            }
        }
        let (at, error) = loaded.failure.as_ref()?;
        (at.elapsed() < FAILURE).then(|| Err(error.clone()))
    }
}

type Shared<T, E> = Arc<Remembered<Option<T>, E>>;

/// Many such values by key; what is not there is not remembered.
pub struct RememberedByKey<T, E> {
    good_for: Duration,
    most: usize,
    known: Mutex<HashMap<String, Shared<T, E>>>,
}

impl<T: Clone, E: Clone> RememberedByKey<T, E> {
    /// Values that are loaded anew once they are so old, at most so many: beyond that, all are forgotten.
    pub fn new(good_for: Duration, most: usize) -> Self {
        Self { good_for, most, known: Mutex::default() }
    }

    /// The value of this key, loaded if need be.
    pub async fn get(&self, key: &str, load: impl Future<Output = Result<Option<T>, E>>) -> Result<Option<T>, E> {
        let found = self.of(key).get(load).await;
        if matches!(found, Ok(None)) {
            self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        }
        found
    }

    fn of(&self, key: &str) -> Shared<T, E> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.most && !known.contains_key(key) {
            known.clear();
        }
        Arc::clone(known.entry(key.to_owned()).or_insert_with(|| Arc::new(Remembered::new(self.good_for))))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::join_all;
    use tokio::time::advance;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    async fn load(calls: &AtomicU32, result: Result<u32, &'static str>) -> Result<u32, &'static str> {
        calls.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(50)).await;
        result
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_cost_one_load_until_it_is_old() {
        let (value, calls) = (Remembered::new(MINUTE), AtomicU32::new(0));
        for expected in [1, 1, 2] {
            let all = join_all((0..50).map(|_| value.get(load(&calls, Ok(7))))).await;
            assert!(all.into_iter().all(|result| result.is_ok_and(|value| value == 7)));
            assert_eq!(calls.load(Ordering::Relaxed), expected);
            advance(MINUTE / 2).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_asked_again_once_a_second() {
        let (value, calls) = (Remembered::new(MINUTE), AtomicU32::new(0));
        for expected in 1..=3 {
            let failed = join_all((0..50).map(|_| value.get(load(&calls, Err("refused"))))).await;
            assert!(failed.into_iter().all(|result| result == Err("refused")));
            assert_eq!(calls.load(Ordering::Relaxed), expected);
            advance(FAILURE).await;
        }
        assert_eq!(value.get(load(&calls, Ok(7))).await.ok(), Some(7));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_serve_is_loaded_anew_once_a_second() {
        let (value, calls) = (Remembered::new(Duration::MAX), AtomicU32::new(0));
        for _ in 0..50 {
            assert_eq!(value.get_if(|value| *value > 7, load(&calls, Ok(7))).await.ok(), Some(7));
        }
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        advance(FAILURE).await;
        assert_eq!(value.get_if(|value| *value > 7, load(&calls, Ok(8))).await.ok(), Some(8));
        assert_eq!(value.get(load(&calls, Ok(9))).await.ok(), Some(8));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_takes_no_value_away_from_those_whom_it_serves() {
        let (value, calls) = (Remembered::new(Duration::MAX), AtomicU32::new(0));
        assert_eq!(value.get(load(&calls, Ok(7))).await.ok(), Some(7));
        advance(FAILURE).await;
        let hangs = value.get_if(|value| *value > 7, std::future::pending::<Result<u32, &str>>());
        let served = async { value.get(load(&calls, Ok(9))).await.ok() };
        tokio::select! {
            biased;
            _ = hangs => panic!("it hangs"),
            served = served => assert_eq!(served, Some(7), "nobody waits whom it serves"),
        }
        assert!(value.get_if(|value| *value > 7, load(&calls, Err("refused"))).await.is_err());
        assert_eq!(value.get(load(&calls, Ok(9))).await.ok(), Some(7));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_there_is_not_remembered_and_memory_is_bounded() {
        let values = RememberedByKey::new(MINUTE, 2);
        assert!(values.get("a", async { Ok::<_, &str>(None::<u32>) }).await.is_ok_and(|found| found.is_none()));
        assert!(values.get("a", async { Ok(Some(1)) }).await.is_ok_and(|found| found == Some(1)));
        for key in ["b", "c", "d"] {
            assert!(values.get(key, async { Ok(Some(2)) }).await.is_ok());
        }
        assert!(values.known.lock().unwrap().len() <= 2);
    }
}

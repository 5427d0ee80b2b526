//! What a run that failed had announced before it failed: run again moments later, mostly by the same process, it need not
//! announce that once more. Each message that comes twice may make a second POST.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Names that are remembered at the least; at the most it is twice as many.
const ENOUGH: usize = 10_000;

/// Names of deliveries whose message SQS has taken, and of events that are on the bus.
#[derive(Default)]
pub(crate) struct Announced(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashSet<String>,
    old: HashSet<String>,
}

impl Announced {
    pub(crate) fn has(&self, name: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.young.contains(name) || known.old.contains(name)
    }

    /// Remembers them; what is long past is forgotten.
    pub(crate) fn remember(&self, names: impl IntoIterator<Item = String>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            if known.young.len() >= ENOUGH {
                known.old = std::mem::take(&mut known.young);
            }
            known.young.insert(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_announced_is_known_and_memory_is_bounded() {
        let announced = Announced::default();
        announced.remember(["a".to_owned()]);
        assert!(announced.has("a") && !announced.has("b"));
        announced.remember((0..3 * ENOUGH).map(|n| n.to_string()));
        assert!(!announced.has("a") && announced.has(&(3 * ENOUGH - 1).to_string()));
        let known = announced.0.lock().unwrap();
        assert!(known.young.len() + known.old.len() <= 2 * ENOUGH);
    }
}

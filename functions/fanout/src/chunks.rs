//! The rows of a turn, made a few at a time: whoever made them all at once would need memory for as many webhooks as there are.

use std::collections::VecDeque;

use postrider_domain::delivery::Delivery;
use postrider_domain::slow::SlowByTenant;
use postrider_host::clock;

use crate::stretch::{Outcome, Place};
use crate::turn::Turn;
use crate::walk::{Found, Next, Walk};

/// Rows that are put, and then announced, together: few at first, so that the first deliveries begin at once.
const FIRST: usize = 10;
/// How many rows go in chunks of few.
const SOON: usize = 160;
/// Rows of a later chunk: two calls put them, five announce them, and one reads those that are there already.
pub(crate) const LATER: usize = 50;

/// Rows that go to one queue.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// Whether they are for slow webhooks.
    pub(crate) is_slow: bool,
    /// Whether they are to be looked after where they are, and none of them to be made.
    pub(crate) only_if_there: bool,
    pub(crate) rows: Vec<Delivery>,
    /// Of each row, whose work it is, and the place before it.
    pub(crate) from: Vec<(usize, Place)>,
}

impl Chunk {
    fn new(is_slow: bool, only_if_there: bool) -> Self {
        Self { is_slow, only_if_there, rows: Vec::new(), from: Vec::new() }
    }

    fn take(&mut self) -> Option<Self> {
        let taken = std::mem::replace(self, Self::new(self.is_slow, self.only_if_there));
        (!taken.rows.is_empty()).then_some(taken)
    }
}

/// Makes the chunks of a turn.
pub(crate) struct Chunks<'a> {
    /// What is still to be walked, with its number among the works.
    walks: VecDeque<(usize, Walk<'a>)>,
    slow: SlowByTenant,
    turn: Turn,
    /// How long a row is kept, in seconds.
    kept: i64,
    open: [Chunk; 4],
    made: usize,
    made_slow: usize,
    /// How far each work has come.
    outcomes: Vec<Outcome>,
}

impl<'a> Chunks<'a> {
    /// Of these walks in this order, numbered by their places among all works. The turn's time begins.
    pub(crate) fn new(
        walks: VecDeque<(usize, Walk<'a>)>,
        slow: SlowByTenant,
        mut turn: Turn,
        kept: i64,
        outcomes: Vec<Outcome>,
    ) -> Self {
        turn.begin();
        let kinds = [(false, false), (true, false), (false, true), (true, true)];
        let open = kinds.map(|(is_slow, only_if_there)| Chunk::new(is_slow, only_if_there));
        Self { walks, slow, turn, kept, open, made: 0, made_slow: 0, outcomes }
    }

    /// The next one; nothing once the turn is over, or everything is done.
    pub(crate) async fn next(&mut self) -> Option<Chunk> {
        while let Some((work, walk)) = self.walks.front_mut() {
            let next = walk.peek(&mut self.turn).await;
            let is_over = next != Next::Webhook || !self.turn.has_room(walk.asking);
            if is_over {
                let outcome = &mut self.outcomes[*work];
                if next != Next::End {
                    outcome.stand(walk.at());
                }
                if let Some((before, error)) = walk.failed.take() {
                    outcome.fail(before, error);
                }
                self.walks.pop_front();
                continue;
            }
            let Some((Found { webhook, only_if_there }, before)) = walk.step() else { continue };
            self.turn.count(walk.asking);
            let (work, event, now) = (*work, walk.work.event, clock::now());
            let is_slow = self.slow.has(&event.tenant_id, &webhook, now);
            let chunk = &mut self.open[usize::from(is_slow) + 2 * usize::from(only_if_there)];
            // Somebody waits for what becomes of a test.
            let parks = self.slow.parks(&event.tenant_id, &webhook, now).filter(|_| event.test_of.is_none());
            let row = Delivery::pending(event, webhook, now, now.as_second() + self.kept);
            let waits_until = parks.map(|horizon| row.would_wait_until(horizon, now));
            chunk.rows.push(Delivery { waits_until, ..row });
            chunk.from.push((work, before));
            self.made += usize::from(!only_if_there);
            self.made_slow += usize::from(is_slow && !only_if_there);
            let full = if self.made <= SOON { FIRST } else { LATER };
            if chunk.rows.len() >= full {
                return chunk.take();
            }
        }
        self.open.iter_mut().find_map(Chunk::take)
    }

    /// How many rows it made, how many of them for slow webhooks, and how far each work has come.
    pub(crate) fn end(self) -> (usize, usize, Vec<Outcome>) {
        (self.made, self.made_slow, self.outcomes)
    }
}

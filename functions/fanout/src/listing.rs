//! The list of events, which fan-out writes beside their deliveries: a row for all of a tenant's events in a batch. What cannot be
//! listed now is left as what cannot be fanned out is, and comes again by itself.

use std::time::Duration;

use postrider_aws::Failure;
use postrider_domain::event::Event;
use postrider_domain::event_list::{self, Packed};
use postrider_host::deadline;

use crate::handler::Fanout;

/// How long the stream's lane waits for the list.
const FOR_THE_LIST: Duration = Duration::from_secs(5);

impl Fanout {
    /// Lists these events; why not, for each that is not listed, in their order. It is listed again where they come again: the row is the same,
    /// or the list drops the double.
    pub(crate) async fn list(&self, events: &[&Event]) -> Vec<Option<Failure>> {
        let packed = event_list::pack(events);
        let rows: Vec<_> = packed.iter().map(|Packed { row, .. }| row).collect();
        let mut unlisted = vec![None; events.len()];
        if rows.is_empty() {
            return unlisted;
        }
        let puts = deadline::at_most(FOR_THE_LIST, self.deliveries.list_events(&rows)).await;
        for (Packed { places, .. }, put) in packed.iter().zip(puts) {
            let Err(error) = put else { continue };
            places.iter().for_each(|place| unlisted[*place] = Some(error.clone()));
        }
        unlisted
    }
}

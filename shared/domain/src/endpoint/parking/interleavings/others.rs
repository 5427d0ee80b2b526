//! What fan-out and the sweep do: their parts of what functions do.

use super::deeds::Deed;
use super::world::{Asked, Fate, Saw, World, at};
use crate::delivery::{Delivery, Reason, Status};
use crate::endpoint::parking::{Parking, State};
use crate::slow::{SlowByTenant, SlowEndpoints};

/// Rows that a sweep looks at.
const PAGE: u32 = 100;

impl World {
    pub(super) fn fan_out(&mut self, deed: Deed) -> Vec<Deed> {
        match deed {
            Deed::Hinted(number, created) => {
                let hints = self.hint.map(|hint| (self.endpoint.id.clone(), hint));
                let mut slow = SlowByTenant::default();
                slow.extend([(self.endpoint.tenant_id.clone(), SlowEndpoints::default().parking(hints))]);
                vec![Deed::Make(number, created, slow)]
            }
            Deed::Make(number, created, slow) => {
                let (row, now) = (self.row_of(number, created), at(self.now));
                let parks = slow.parks(&self.endpoint.tenant_id, &self.endpoint.id, now);
                let waits_until = parks.map(|horizon| row.would_wait_until(horizon, now));
                vec![Deed::Put(Delivery { waits_until, ..row })]
            }
            Deed::Put(row) => {
                let there = self.rows.iter().position(|other| other.id == row.id);
                let place = there.unwrap_or(self.rows.len());
                if there.is_none() {
                    let from = row.put_at.unwrap().as_second();
                    let fate = Fate { parked_at: self.now, from, ..Fate::default() };
                    if row.is_parked() && !self.endpoint.parking.as_ref().is_some_and(Parking::parks_what_is_new) {
                        self.saw(Saw::ParkedByAnOldHint);
                    }
                    self.rows.push(row);
                    self.fates.push(fate);
                }
                let row = &self.rows[place];
                let is_announced = row.status == Status::Pending && !row.is_parked();
                let first = Asked { row: place, attempt: 1, round: 1, probe: false, slot: None };
                if is_announced { vec![Deed::Send(vec![first])] } else { Vec::new() }
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn look_after(&mut self, deed: Deed) -> Vec<Deed> {
        match deed {
            Deed::Sweep => {
                let overdue = self.overdue().into_iter().map(|row| self.next(row)).collect();
                [Deed::Send(overdue)].into_iter().chain(self.listed.map(Deed::LookAfter)).collect()
            }
            Deed::LookAfter(since) => {
                let oldest = self.index(None, PAGE);
                let stragglers: Vec<Asked> = oldest.iter().map(|row| self.next(*row)).collect();
                let parking = self.endpoint.parking.clone().filter(|parking| parking.since == since);
                let Some(parking) = parking else {
                    return vec![if oldest.is_empty() { Deed::Unlist(since) } else { Deed::Send(stragglers) }];
                };
                let mut deeds = Vec::new();
                if parking.is_overdue(at(self.now)) {
                    self.saw(Saw::TicketRenewed);
                    deeds.push(Deed::Ticket(Parking { next_at: at(self.now), ..parking.clone() }));
                }
                let is_expired = |row: &Delivery| row.waits_until.is_some_and(|until| until <= at(self.now));
                match parking.state {
                    State::Draining => {}
                    State::Down => deeds.extend(
                        oldest
                            .into_iter()
                            .map(|row| (row, self.rows[row].clone()))
                            .filter(|(_, row)| is_expired(row))
                            .map(|(row, read)| Deed::FailParked(row, read)),
                    ),
                    State::Closing if !oldest.is_empty() => {
                        self.saw(Saw::Straggler);
                        deeds.push(Deed::Send(stragglers));
                    }
                    State::Closing if parking.is_over(&self.endpoint, at(self.now)) => deeds.push(Deed::End(parking)),
                    State::Closing if parking.is_quiet(at(self.now)) => deeds.push(Deed::Unlist(parking.since)),
                    State::Closing => {}
                }
                deeds
            }
            Deed::FailParked(row, read) => {
                if self.rows[row].stands_as(&read) && self.rows[row].waits_until.is_some() {
                    self.saw(Saw::Expired);
                    let horizon = i64::try_from(self.endpoint.horizon().as_secs()).unwrap();
                    let waited = self.now - self.fates[row].from;
                    self.rule(waited >= horizon, "what is parked waits for as long as its schedule would have taken");
                    self.end_row(row, &read, (Status::Failed, Reason::EndpointDown));
                }
                Vec::new()
            }
            Deed::Unlist(since) => {
                if self.listed == Some(since) {
                    self.listed = None;
                }
                Vec::new()
            }
            Deed::End(parking) => {
                if self.is_at(Some(&parking)) {
                    self.saw(Saw::Ended);
                    (self.endpoint.parking, self.listed) = (None, None);
                    self.endpoint.revision += 1;
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

//! What the owner does, each in one write that is made anew until nobody overtakes it.

use super::world::{Asked, Body, Fate, Saw, Told, World, at};
use crate::endpoint::EndpointStatus;

impl World {
    /// After its owner's change, whose ticket may be lost.
    fn changed_by_its_owner(&mut self, before: Option<u32>, ticket: bool) {
        self.endpoint.revision += 1;
        let Some(parking) = self.endpoint.parking.clone().filter(|parking| Some(parking.step) != before) else {
            return;
        };
        self.saw(Saw::ChangedWhileDown);
        if self.functions.iter().flatten().any(|function| function.probe.is_some()) {
            self.saw(Saw::ChangedWhileAProbeIsOut);
        }
        if ticket {
            self.send_ticket(&parking);
        }
    }

    pub(super) fn change_it(&mut self, url: bool, ticket: bool) {
        if self.endpoint.deleted_at.is_some() {
            return;
        }
        let before = self.endpoint.parking.as_ref().map(|parking| parking.step);
        self.changed_at = self.now;
        self.endpoint = self.endpoint.clone().given_another_chance(at(self.now));
        if url {
            self.endpoint.url_version += 1;
            self.endpoint.failing_since = None;
        }
        self.changed_by_its_owner(before, ticket);
    }

    pub(super) fn limit_it(&mut self, per_second: Option<u32>, ticket: bool) {
        if self.endpoint.deleted_at.is_some() {
            return;
        }
        let before = self.endpoint.parking.as_ref().map(|parking| parking.step);
        self.highest_limit = self.highest_limit.max(per_second.unwrap_or_default());
        self.endpoint.rate_limit = per_second.map(|limit| limit.try_into().unwrap());
        self.endpoint.parking = self.endpoint.parking.as_ref().map(|parking| parking.under_another_limit(at(self.now)));
        let is_lifted = before != self.endpoint.parking.as_ref().map(|parking| parking.step);
        if is_lifted {
            self.saw(Saw::LimitLifted);
        }
        self.changed_by_its_owner(before, ticket);
    }

    pub(super) fn set_status(&mut self, status: EndpointStatus, ticket: bool) {
        if self.endpoint.deleted_at.is_some() || self.endpoint.status == status {
            return;
        }
        if status == EndpointStatus::Disabled {
            self.ended_by_its_owner(Saw::DisabledWhileParked);
        }
        self.endpoint.status = status;
        self.status_at = self.now;
        let before = self.endpoint.parking.as_ref().map(|parking| parking.step);
        self.changed_at = self.now;
        self.endpoint = self.endpoint.clone().given_another_chance(at(self.now));
        self.endpoint.failing_since = None;
        self.changed_by_its_owner(before, ticket);
    }

    pub(super) fn delete(&mut self, ticket: bool) {
        if self.endpoint.deleted_at.is_some() {
            return;
        }
        self.ended_by_its_owner(Saw::DeletedWhileParked);
        self.status_at = self.now;
        let before = self.endpoint.parking.as_ref().map(|parking| parking.step);
        self.endpoint.parking =
            self.endpoint.parking.as_ref().map(|parking| parking.given_another_chance(at(self.now)));
        self.endpoint.deleted_at = Some(at(self.now));
        self.changed_by_its_owner(before, ticket);
    }

    fn ended_by_its_owner(&mut self, saw: Saw) {
        if self.parked() > 0 {
            self.saw(saw);
        }
        self.told.push(Told::Ended);
    }

    pub(super) fn retry(&mut self, row: usize, sent: bool) {
        let Some(before) = self.rows.get(row).filter(|_| self.is_sent_to()) else { return };
        let Ok(after) = before.asked_again(at(self.now)) else { return };
        if before.is_parked() {
            self.saw(Saw::RetriedWhileParked);
        }
        self.rows[row] = after;
        self.fates[row] = Fate { from: self.now, ..Fate::default() };
        if sent {
            let asked = Asked { probe: true, ..self.next(row) };
            self.send(Body::Message(asked), self.now);
        }
    }
}

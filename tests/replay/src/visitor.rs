//! Who calls the API from a tenant's portal, and the rows by which he is known.

use jiff::Timestamp;
use postrider_domain::dialect::{DialectRef, SESSION_PREFIX, STANDARD};
use postrider_domain::id::{EndpointId, SessionId};
use postrider_domain::key::{hash_of, secret_text};
use postrider_domain::portal::{Capabilities, Capability, Look, Reach, Session};
use postrider_domain::tenant::Tenant;
use serde_json::Value;

use crate::Caller;
use crate::item::keyed;

/// In a thousand years or so.
const NEVER: i64 = 32_503_680_000;

/// Somebody in a session.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// What he sends.
    pub text: String,
    /// The session.
    pub session: Session,
    /// Whose portal it is.
    pub tenant: Tenant,
}

impl Visitor {
    /// A visitor of a caller's tenant, who may do this.
    pub fn of(owner: &Caller, capabilities: &[Capability]) -> Self {
        let tenant = owner.tenant.clone().expect("a tenant's key");
        let session = Session {
            id: SessionId::ending(Timestamp::from_second(NEVER).expect("a time"), 1),
            tenant_id: tenant.id.clone(),
            capabilities: Capabilities::of(capabilities),
            reach: Reach::All,
            dialect: DialectRef(&STANDARD),
            epoch: tenant.portal_epoch,
            expires_at: NEVER,
            look: Look::default(),
        };
        Self { text: secret_text(SESSION_PREFIX, &[0xab; 32]), session, tenant }
    }

    /// The same for these webhooks alone.
    #[must_use]
    pub fn only(mut self, webhooks: &[&EndpointId]) -> Self {
        self.session.reach = Reach::Only(webhooks.iter().copied().cloned().collect());
        self
    }

    /// His row in the config table, beside his tenant's.
    pub fn row(&self) -> Value {
        keyed(format!("SESSION#{}", hash_of(&self.text)), "SESSION", &self.session)
    }

    /// His rows in the config table.
    pub fn rows(&self) -> Vec<Value> {
        vec![self.row(), keyed(format!("TENANT#{}", self.tenant.id), "TENANT", &self.tenant)]
    }
}

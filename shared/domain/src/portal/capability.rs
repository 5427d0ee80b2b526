//! What a session may do.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;
use crate::named;
use crate::named::stored_by_name;

named! {
    /// One thing that a session may do, by its name in the API.
    pub enum Capability {
        /// See webhooks, events, deliveries and jobs, and ask why a signature does not verify. Every session has it.
        View = "view",
        /// Make, change, enable, disable and delete webhooks. Whoever makes one is shown its secret, this once.
        Edit = "edit",
        /// Have something sent, or not sent: tests, previews, retries, recoveries, events, cancellations.
        Send = "send",
        /// Give a webhook that there is a new secret, and see it.
        Secrets = "secrets",
    }
}

stored_by_name!(Capability);

/// Some of them: in their own order, each once, and never without seeing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities(Vec<Capability>);

impl Capabilities {
    /// All that a customer may.
    pub fn all() -> Self {
        Self(Capability::ALL.to_vec())
    }

    /// Reads a request's `capabilities`.
    ///
    /// # Errors
    /// [`Invalid`] for an unknown one, a repeated one, or an empty list.
    pub fn parse(names: &[String]) -> Result<Self, Invalid> {
        let known = || Capability::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ");
        let mut given = vec![];
        for (i, name) in names.iter().enumerate() {
            match Capability::ALL.iter().find(|one| one.as_str() == name) {
                Some(one) if !given.contains(one) => given.push(*one),
                _ => {
                    return Err(Invalid::new(
                        format!("capabilities[{i}]"),
                        format!("each of {} at most once", known()),
                    ));
                }
            }
        }
        if given.is_empty() {
            return Err(Invalid::new("capabilities", format!("at least one of {}", known())));
        }
        Ok(Self::of(&given))
    }

    /// These, and that of seeing.
    pub fn of(given: &[Capability]) -> Self {
        let is_in = |one: &Capability| *one == Capability::View || given.contains(one);
        Self(Capability::ALL.iter().copied().filter(is_in).collect())
    }

    /// Whether it is among them.
    pub fn has(&self, one: Capability) -> bool {
        one == Capability::View || self.0.contains(&one)
    }

    /// All of them, in their order.
    pub fn as_slice(&self) -> &[Capability] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(names: &[&str]) -> Result<Capabilities, Invalid> {
        Capabilities::parse(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn whoever_may_do_anything_may_see() {
        for (given, all) in [
            (&["view"][..], &[Capability::View][..]),
            (&["send"], &[Capability::View, Capability::Send]),
            (&["secrets", "edit"], &[Capability::View, Capability::Edit, Capability::Secrets]),
        ] {
            let parsed = parse(given).unwrap();
            assert_eq!(parsed.as_slice(), all, "{given:?}");
            assert!(parsed.has(Capability::View));
        }
        assert!(!parse(&["view"]).unwrap().has(Capability::Send));
        assert_eq!(Capabilities::all().as_slice(), Capability::ALL);
    }

    #[test]
    fn unknown_repeated_and_none_are_refused_by_their_place() {
        assert_eq!(parse(&["view", "admin"]).unwrap_err().field, "capabilities[1]");
        assert_eq!(parse(&["edit", "edit"]).unwrap_err().field, "capabilities[1]");
        assert_eq!(parse(&[]).unwrap_err().field, "capabilities");
    }
}

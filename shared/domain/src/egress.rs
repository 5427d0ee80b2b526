//! Where Postrider may connect: to global unicast addresses and public names, to what the operator adds, and to nothing
//! else.
//!
//! Default deny. What is special is in `special`, name by name and block by block. The operator's lists only shift the
//! border between what is private and what is his own: loopback, link-local, metadata services, multicast and addresses
//! that embed others can be listed by nobody.

mod names;
mod special;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use ipnet::IpNet;
use url::Host;

use crate::invalid::Invalid;
pub(crate) use names::check_letters;

/// Whether loopback may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateTargets {
    /// No.
    Refuse,
    /// This machine's loopback: a local stack's receivers.
    AllowLoopback,
}

/// What may be connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Egress {
    private: PrivateTargets,
    allowed: Vec<IpNet>,
    denied: Vec<String>,
}

impl Egress {
    /// Public targets, and loopback where `private` says so.
    pub fn new(private: PrivateTargets) -> Self {
        Self { private, allowed: Vec::new(), denied: Vec::new() }
    }

    /// Allows private networks of the operator's own: CIDRs, separated by commas.
    ///
    /// # Errors
    /// [`Invalid`] for `field`, when an entry is no network or reaches beyond what can be allowed.
    pub fn allowing(self, field: &str, cidrs: &str) -> Result<Self, Invalid> {
        let parse = |entry: &str| {
            allowable(entry).ok_or_else(|| {
                let within = special::ALLOWABLE.map(|net| net.to_string()).join(", ");
                Invalid::new(
                    field,
                    format!("networks such as 10.20.0.0/16, each within one of {within}; not `{entry}`"),
                )
            })
        };
        Ok(Self { allowed: entries(cidrs).map(parse).collect::<Result<_, _>>()?, ..self })
    }

    /// Denies domains with all that is below them: names, separated by commas.
    ///
    /// # Errors
    /// [`Invalid`] for `field`, when an entry is no name.
    pub fn denying(self, field: &str, domains: &str) -> Result<Self, Invalid> {
        let parse = |entry: &str| {
            let expected = "domains such as example.com, which stand for all below them too";
            domain(entry).ok_or_else(|| Invalid::new(field, format!("{expected}; not `{entry}`")))
        };
        Ok(Self { denied: entries(domains).map(parse).collect::<Result<_, _>>()?, ..self })
    }

    /// Whether `address` may be connected to.
    ///
    /// # Errors
    /// Why not, to be read after "the address is refused:".
    pub fn check_address(&self, address: IpAddr) -> Result<(), &'static str> {
        if special::is_metadata(address) {
            return Err("it is a cloud's metadata service");
        }
        let own = match self.private {
            PrivateTargets::AllowLoopback => address.is_loopback(),
            PrivateTargets::Refuse => false,
        };
        if own || self.allowed.iter().any(|net| net.contains(&address)) {
            return Ok(());
        }
        special::why(address).map_or(Ok(()), Err)
    }

    /// Whether `name` may be looked up and connected to. It is a URL's host: lower case, in ASCII, without a final dot.
    ///
    /// # Errors
    /// Why not, to be read after "the host is refused:".
    pub fn check_name(&self, name: &str) -> Result<(), &'static str> {
        if self.denied.iter().any(|zone| names::is_under(name, zone)) {
            return Err("the operator of this service denies its domain");
        }
        if names::is_this_machine(name) {
            return match self.private {
                PrivateTargets::AllowLoopback => Ok(()),
                PrivateTargets::Refuse => Err("it means this machine"),
            };
        }
        names::check(name)
    }
}

fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// A network, or one address, that the list may hold. One whose address has bits beyond its prefix is a slip, and which of
/// the two was meant is not ours to guess.
fn allowable(entry: &str) -> Option<IpNet> {
    let net = entry.parse().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from)).ok()?;
    let is_whole = net == net.trunc();
    (is_whole && special::ALLOWABLE.iter().any(|wide| wide.contains(&net))).then_some(net)
}

/// A domain as a URL's host is written.
fn domain(entry: &str) -> Option<String> {
    let Ok(Host::Domain(name)) = Host::parse(entry) else { return None };
    let name = name.strip_suffix('.').unwrap_or(&name);
    names::check_letters(name).ok().map(|()| name.to_owned())
}

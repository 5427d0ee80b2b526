//! An endpoint's headers of its owner's own: their values sealed, or in the clear in a row of before.

use std::collections::{BTreeMap, BTreeSet};

use super::Endpoint;
use crate::invalid::Invalid;
use crate::own_header::{GivenValue, is_of_ours};

/// A header's value as the row holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldValue<'a> {
    /// The sealed text; only the keyring opens it.
    Sealed(&'a str),
    /// In the clear, as earlier versions kept it: sealed with the endpoint's next change.
    OfBefore(&'a str),
}

impl Endpoint {
    /// What a header's value is sealed for: it opens for this name of this endpoint alone.
    pub fn header_owner(&self, name: &str) -> String {
        format!("{}/header/{}", self.secret_owner(), name.to_ascii_lowercase())
    }

    /// The names of all its own headers, as they are shown.
    pub fn header_names(&self) -> BTreeSet<&str> {
        self.sealed_headers.keys().chain(self.headers.keys()).map(String::as_str).collect()
    }

    /// The headers of its owner's that are sent along, each once: a sealed one goes before one of before. A dialect may sign in one by
    /// now that was anybody's when it was set: a receiver that finds two would take the owner's for ours.
    pub fn own_headers(&self) -> impl Iterator<Item = (&str, HeldValue<'_>)> {
        let sealed = self.sealed_headers.iter().map(|(name, value)| (name.as_str(), HeldValue::Sealed(value)));
        let of_before = self.headers.iter().map(|(name, value)| (name.as_str(), HeldValue::OfBefore(value)));
        let of_before = of_before.filter(|(name, _)| !self.sealed_headers.contains_key(&name.to_ascii_lowercase()));
        sealed.chain(of_before).filter(|(name, _)| !is_of_ours(&name.to_ascii_lowercase()))
    }

    /// Takes what its owner gives: names that are left out go, and values that are kept stay as they are, sealed or not. New ones are
    /// in the clear until somebody seals them, before anything is written.
    ///
    /// # Errors
    /// [`Invalid`] naming the header whose value is to be kept where there is none.
    pub fn take_headers(&mut self, given: BTreeMap<String, GivenValue>) -> Result<(), Invalid> {
        let (mut sealed, mut clear) = (BTreeMap::new(), BTreeMap::new());
        for (name, value) in given {
            match value {
                GivenValue::New(value) => _ = clear.insert(name, value.expose().to_owned()),
                GivenValue::Kept => {
                    let is_it = |(held, _): &(&String, &String)| held.eq_ignore_ascii_case(&name);
                    if let Some((_, value)) = self.sealed_headers.iter().find(is_it) {
                        sealed.insert(name, value.clone());
                    } else if let Some((_, value)) = self.headers.iter().find(is_it) {
                        clear.insert(name, value.clone());
                    } else {
                        let expected = "a value: `***` keeps the one that is there, and there is none";
                        return Err(Invalid::new(format!("headers.{name}"), expected));
                    }
                }
            }
        }
        (self.sealed_headers, self.headers) = (sealed, clear);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::dialect::{DialectRef, NUR};
    use crate::id::{EndpointId, TenantId};
    use crate::own_header::parse_headers;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn endpoint(sealed: &[(&str, &str)], of_before: &[(&str, &str)]) -> Endpoint {
        let (at, url) = (Timestamp::UNIX_EPOCH, "https://hooks.example/".to_owned());
        let bare = Endpoint::bare(EndpointId::new(at, 1), TenantId::new(at, 1), url, DialectRef(&NUR), at);
        Endpoint { sealed_headers: map(sealed), headers: map(of_before), ..bare }
    }

    fn taken(endpoint: &Endpoint, given: &[(&str, &str)]) -> Result<Endpoint, Invalid> {
        let mut after = endpoint.clone();
        after.take_headers(parse_headers(map(given)).unwrap()).map(|()| after)
    }

    #[test]
    fn no_header_that_was_set_before_signs() {
        let set_before = endpoint(
            &[("x-nur-signature", "k1.forged"), ("x-token", "k1.a")],
            &[
                ("X-Team", "a"),
                ("X-Token", "b"),
                ("x-nur-signature", "sha256=00"),
                ("webhook-id", "evt_1"),
                ("host", "b"),
            ],
        );
        let sent: Vec<_> = set_before.own_headers().collect();
        assert_eq!(sent, [("x-token", HeldValue::Sealed("k1.a")), ("X-Team", HeldValue::OfBefore("a"))]);
    }

    #[test]
    fn what_is_kept_stays_as_it_is_what_is_new_is_to_be_sealed_and_what_is_left_out_goes() {
        let before = endpoint(&[("x-sealed", "k1.a"), ("x-gone", "k1.b")], &[("X-Clear", "c"), ("x-left", "d")]);
        let after = taken(&before, &[("X-Sealed", "***"), ("x-clear", "***"), ("X-New", "e")]).unwrap();
        assert_eq!(after.sealed_headers, map(&[("x-sealed", "k1.a")]));
        assert_eq!(after.headers, map(&[("x-clear", "c"), ("x-new", "e")]));
        assert_eq!(after.header_names().into_iter().collect::<Vec<_>>(), ["x-clear", "x-new", "x-sealed"]);
        let replaced = taken(&before, &[("x-sealed", "f")]).unwrap();
        assert_eq!((replaced.sealed_headers, replaced.headers), (map(&[]), map(&[("x-sealed", "f")])));
    }

    #[test]
    fn what_is_not_there_cannot_be_kept() {
        let before = endpoint(&[("x-sealed", "k1.a")], &[]);
        for given in [&[("x-other", "***")][..], &[("x-sealed", "***"), ("x-other", "***")]] {
            assert_eq!(taken(&before, given).unwrap_err().field, "headers.x-other");
        }
    }
}

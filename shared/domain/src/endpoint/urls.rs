//! The URLs that an endpoint had before: each attempt says which one it was made to, also when the endpoint has moved since.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use super::parking::Parking;

/// Where an endpoint is now: these can be read also where the rest of its row cannot.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PresentUrl {
    /// The URL.
    pub url: String,
    /// Its number.
    #[serde(rename = "url_version", default = "super::first_url_version")]
    pub version: u32,
    /// How what is for it is parked, where that can be read too.
    #[serde(default, deserialize_with = "if_readable")]
    pub parking: Option<Parking>,
}

fn if_readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Parking>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Read {
        Parking(Parking),
        Other(IgnoredAny),
    }
    Ok(match Read::deserialize(deserializer)? {
        Read::Parking(parking) => Some(parking),
        Read::Other(IgnoredAny) => None,
    })
}

/// How many are remembered; an attempt at one before those no longer says where it went.
const REMEMBERED: usize = 20;

/// An endpoint's earlier URLs by their numbers. They lie beside the endpoint, since each attempt reads that and none reads
/// these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierUrls {
    #[serde(default)]
    urls: BTreeMap<String, String>,
}

impl EarlierUrls {
    /// The URL of this number, if it is remembered.
    pub fn get(&self, version: u32) -> Option<&str> {
        self.urls.get(&key(version)).map(String::as_str)
    }

    /// Remembers one more, and forgets the oldest beyond twenty.
    pub fn remember(&mut self, version: u32, url: String) {
        self.urls.insert(key(version), url);
        while self.urls.len() > REMEMBERED {
            self.urls.pop_first();
        }
    }
}

/// A map's key in a row is text; ten digits sort as numbers do.
fn key(version: u32) -> String {
    format!("{version:010}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_twenty_are_remembered() {
        let mut urls = EarlierUrls::default();
        for version in 1..=25 {
            urls.remember(version, format!("https://example.com/{version}"));
        }
        assert_eq!((urls.get(5), urls.get(6)), (None, Some("https://example.com/6")));
        assert_eq!(urls.get(25), Some("https://example.com/25"));
        assert_eq!(urls.urls.len(), 20);
    }
}

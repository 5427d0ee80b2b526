//! What keeps a request's signature from verifying, for whoever has to mend it.
//!
//! A check that fails says no and nothing else. So the request that a receiver got is looked at here as it is, and as the usual mistakes
//! would have left it, until the signature fits. Nothing that is told contains a secret, a key or a signature: it says whether, never what.

use jiff::Timestamp;

use crate::dialect::{self, Dialect};
use crate::json::{Numbers, Tree};
use crate::named;
use crate::named::stored_by_name;
use crate::payload::BodyShape;
use crate::secret::Secret;
use crate::signature;
use crate::signature::{Content, Signing};
use crate::stored_secret::StoredSecret;

mod explanation;
mod keys;
mod layouts;
mod written;

#[cfg(test)]
mod tests;

use self::keys::{Key, Making};
use self::written::{Writing, Written};

/// How far a request's time may be from the receiver's, either way.
pub const TOLERANCE_SECONDS: i64 = 300;
/// Of a body: an event's data and the envelope around it.
pub const MAX_BODY_BYTES: usize = 257 * 1024;
/// Headers of a request.
pub const MAX_HEADERS: usize = 100;
/// Bytes of their names and values together.
pub const MAX_HEADER_BYTES: usize = 32 * 1024;
/// Of a secret, which may be anything that somebody took for one.
pub const MAX_SECRET_CHARS: usize = 512;
/// Bytes that are signed in the search for what a body was, at the most.
const MAX_SEARCHED_BYTES: usize = 32 * 1024 * 1024;

named! {
    /// What is wrong with a request, by its name in the API.
    pub enum Cause {
        /// The secret is not the one that the request was signed with.
        WrongSecret = "wrong_secret",
        /// The secret was decoded, or a part of it cut off, where its whole text is the key.
        SecretDecoded = "secret_decoded",
        /// The secret's text was used as the key, where the bytes are that its base64 stands for.
        SecretNotDecoded = "secret_not_decoded",
        /// The body was parsed and written anew: it says the same in other bytes.
        BodyReserialised = "body_reserialised",
        /// The body says something else than was sent.
        BodyChanged = "body_changed",
        /// What stands before the signature is missing, or is something else.
        PrefixMissing = "prefix_missing",
        /// A header that takes part in the signature is missing.
        HeaderMissing = "header_missing",
        /// The signature fits, and was made more than five minutes ago.
        TimestampOld = "timestamp_old",
        /// The signature fits, and will be made in more than five minutes.
        TimestampInFuture = "timestamp_in_future",
        /// The signature is the right one in another encoding.
        WrongEncoding = "wrong_encoding",
        /// The request is signed as another dialect signs.
        WrongDialect = "wrong_dialect",
        /// The secret was replaced by a rotation.
        SecretRotated = "secret_rotated",
        /// Nothing that was tried explains it.
        NoMatch = "no_match",
    }
}

stored_by_name!(Cause);

/// What is told of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong; nothing where the request is good.
    pub cause: Option<Cause>,
    /// What to do, in a sentence or two.
    pub explanation: String,
}

/// A request as its receiver got it.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// Its headers by name, in whatever case.
    pub headers: &'a [(String, String)],
    /// Its body, character for character.
    pub body: &'a str,
    /// When it was, or would be, verified.
    pub at: Timestamp,
}

impl Received<'_> {
    /// A header that says something.
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.trim().eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }
}

/// A webhook's own secret, opened, and when it ceases to count.
#[derive(Debug, Clone)]
pub struct OwnSecret {
    /// The secret.
    pub secret: Secret,
    /// When it ceases to count, or did.
    pub until: Option<Timestamp>,
}

impl OwnSecret {
    /// A stored secret that was opened.
    pub fn opened(stored: &StoredSecret, secret: Secret) -> Self {
        Self { secret, until: stored.until }
    }

    fn counts(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| until > at)
    }
}

/// What is known of the webhook that a request was for.
#[derive(Debug, Clone, Default)]
pub struct Webhook {
    /// Its secrets, the newest first, those too that count no more. None at all: what is sent to it is not signed.
    pub secrets: Vec<OwnSecret>,
    /// What was sent to it, where the event is known that the request is of.
    pub sent: Option<Vec<u8>>,
}

/// Whose secrets a request is held to.
#[derive(Debug, Clone)]
pub enum Known {
    /// One that somebody verifies with: whether it is the right one, nobody knows.
    Secret(Secret),
    /// A webhook's.
    Webhook(Webhook),
    /// A webhook's, and one that its receiver takes for it.
    Both(Webhook, Secret),
}

/// The dialect that a request is signed in where nobody names one: the usual one if its header is there, or else another's.
pub fn dialect_of(received: Received<'_>, usual: Option<&'static Dialect>) -> Option<&'static Dialect> {
    let signs = |dialect: &&'static Dialect| received.header(dialect.signing.header).is_some();
    usual.filter(signs).or_else(|| dialect::all().find(signs)).or(usual)
}

/// Where an event's id stands in a request of this dialect, if it does.
pub fn event_id_in(dialect: &Dialect, received: Received<'_>) -> Option<String> {
    match (dialect.signing.content, dialect.body) {
        (Content::IdTimestampBody { id_header, .. }, _) => received.header(id_header).map(str::to_owned),
        (Content::Body, BodyShape::IdEventDataTimestampWebhook) => {
            let Some(Tree::Object(fields)) = Tree::read(received.body.trim()) else { return None };
            fields.into_iter().find_map(|(name, value)| match value {
                Tree::Text(id) if name == "id" => Some(id),
                _ => None,
            })
        }
        (Content::Body, _) => None,
    }
}

/// Looks at a request that is, or should be, of this dialect.
pub fn examine(dialect: &'static Dialect, received: Received<'_>, known: &Known) -> Finding {
    let case = Case { dialect, received };
    match known {
        Known::Secret(secret) => case.with_secret(secret).unwrap_or_else(|| case.finding(Cause::NoMatch)),
        Known::Webhook(webhook) => case.with_webhook(webhook),
        Known::Both(webhook, given) => case.with_both(webhook, given),
    }
}

/// A request that is looked at.
#[derive(Clone, Copy)]
struct Case<'a> {
    dialect: &'static Dialect,
    received: Received<'a>,
}

/// A key, and the secret that it was made of by its place.
struct Candidate {
    key: Key,
    of: usize,
}

/// What fits a signature: the nearest to a good request comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    is_reserialised: bool,
    making: Making,
    writing: Writing,
    counts_no_more: bool,
    of: usize,
}

impl Fit {
    fn cause(self) -> Option<Cause> {
        let of_writing = match self.writing {
            Writing::Right => None,
            Writing::OtherEncoding => Some(Cause::WrongEncoding),
            Writing::OtherPrefix => Some(Cause::PrefixMissing),
        };
        let of_body = self.is_reserialised.then_some(Cause::BodyReserialised);
        of_writing.or(cause_of(self.making)).or(of_body).or(self.counts_no_more.then_some(Cause::SecretRotated))
    }
}

impl Case<'_> {
    /// What a secret of somebody's explains; nothing where it explains nothing.
    fn with_secret(&self, secret: &Secret) -> Option<Finding> {
        let keys = keys::of(secret, self.signing().key);
        let candidates: Vec<_> = keys.into_iter().map(|key| Candidate { key, of: 0 }).collect();
        let signatures = match self.signatures() {
            Ok(signatures) => signatures,
            Err(finding) => return Some(finding),
        };
        let fit = self.fit(&candidates, &signatures, |_| true)?;
        Some(self.of_fit(fit, None))
    }

    fn with_webhook(&self, webhook: &Webhook) -> Finding {
        if webhook.secrets.is_empty() && self.received.header(self.signing().header).is_none() {
            return self.unsigned(webhook);
        }
        let signatures = match self.signatures() {
            Ok(signatures) => signatures,
            Err(finding) => return finding,
        };
        let counts = |of: usize| webhook.secrets[of].counts(self.received.at);
        match self.fit(&self.candidates(webhook), &signatures, counts) {
            Some(fit) => self.of_fit(fit, Some(webhook)),
            None => self.without_fit(webhook, &signatures),
        }
    }

    /// Whether the receiver's secret is the webhook's is certain, whatever came. What else is wrong is told where it is.
    fn with_both(&self, webhook: &Webhook, given: &Secret) -> Finding {
        let by_webhook = self.with_webhook(webhook);
        if self.signatures().is_err() {
            return by_webhook;
        }
        let by_given = self.with_secret(given);
        let at = self.received.at;
        match self.likeness(webhook, given) {
            Some((Making::Right, own)) if !own.counts(at) => told(Cause::SecretRotated, explanation::rotated_out(own)),
            // It is the webhook's own, so what is wrong is the request.
            Some((Making::Right, _)) => match by_given {
                Some(finding) => finding,
                None if by_webhook.cause.is_none_or(is_of_time) => {
                    told(Cause::SecretRotated, explanation::not_signed_with_it_yet())
                }
                None => by_webhook,
            },
            Some((making, own)) => {
                let cause = cause_of(making).unwrap_or(Cause::WrongSecret);
                told(cause, self.explained(cause, making, Some(own)))
            }
            None if webhook.secrets.is_empty() => by_webhook,
            None if by_given.is_some() => told(Cause::WrongSecret, explanation::of_another_webhook()),
            None => told(Cause::WrongSecret, explanation::not_this_webhooks()),
        }
    }

    /// Which of a webhook's secrets a text is, and how nearly. By keys, and not texts: with its prefix or without, it is the same.
    fn likeness<'w>(&self, webhook: &'w Webhook, given: &Secret) -> Option<(Making, &'w OwnSecret)> {
        let derivation = self.signing().key;
        keys::of(given, derivation).into_iter().find_map(|given| {
            let is_it = |own: &&OwnSecret| {
                keys::right(&own.secret, derivation).is_some_and(|own| is_same(&own.bytes, &given.bytes))
            };
            webhook.secrets.iter().find(is_it).map(|own| (given.making, own))
        })
    }

    fn signing(&self) -> &'static Signing {
        &self.dialect.signing
    }

    fn candidates(&self, webhook: &Webhook) -> Vec<Candidate> {
        let of = |(of, own): (usize, &OwnSecret)| {
            keys::of(&own.secret, self.signing().key).into_iter().map(move |key| Candidate { key, of })
        };
        webhook.secrets.iter().enumerate().flat_map(of).collect()
    }

    /// What the signatures that came can stand for.
    ///
    /// # Errors
    /// What to tell of a request that lacks a header.
    fn signatures(&self) -> Result<Vec<Written>, Finding> {
        let missing: Vec<_> = self.signing().names().filter(|name| self.received.header(name).is_none()).collect();
        if !missing.is_empty() {
            let is_unsigned_here = self.received.header(self.signing().header).is_none();
            let others = dialect::all().filter(|dialect| dialect.name != self.dialect.name);
            let other = others
                .filter(|_| is_unsigned_here)
                .find(|dialect| self.received.header(dialect.signing.header).is_some());
            return Err(match other {
                Some(other) => told(Cause::WrongDialect, explanation::of_dialect(other, self.dialect)),
                None => told(Cause::HeaderMissing, explanation::missing(&missing)),
            });
        }
        if let Some((name, _, false)) = self.timestamp().map(|(name, text)| (name, text, text.parse::<i64>().is_ok())) {
            return Err(told(Cause::HeaderMissing, explanation::no_timestamp(name)));
        }
        let value = self.received.header(self.signing().header).unwrap_or_default();
        let signatures = written::read(self.signing(), value);
        if signatures.is_empty() {
            return Err(told(Cause::WrongEncoding, explanation::no_signature(self.signing())));
        }
        Ok(signatures)
    }

    /// The header of the time that is signed, and what it says.
    fn timestamp(&self) -> Option<(&'static str, &str)> {
        match self.signing().content {
            Content::Body => None,
            Content::IdTimestampBody { timestamp_header, .. } => {
                Some((timestamp_header, self.received.header(timestamp_header)?))
            }
        }
    }

    /// The nearest fit: of the body as it came, or else as it may have been sent.
    fn fit(&self, candidates: &[Candidate], signatures: &[Written], counts: impl Fn(usize) -> bool) -> Option<Fit> {
        let fits = |body: &str, candidate: &Candidate, is_reserialised: bool| {
            let written = self.fitting(body.as_bytes(), &candidate.key.bytes, signatures)?;
            let (making, of) = (candidate.key.making, candidate.of);
            Some(Fit { is_reserialised, making, writing: written.writing, counts_no_more: !counts(of), of })
        };
        let as_it_came = candidates.iter().filter_map(|candidate| fits(self.received.body, candidate, false)).min();
        as_it_came.or_else(|| {
            let right: Vec<_> = candidates.iter().filter(|candidate| candidate.key.making == Making::Right).collect();
            if right.is_empty() {
                return None;
            }
            let mut left = MAX_SEARCHED_BYTES;
            for body in layouts::of(self.received.body, self.dialect.body) {
                left = left.checked_sub(body.len().saturating_mul(right.len()))?;
                if let Some(fit) = right.iter().filter_map(|candidate| fits(&body, candidate, true)).min() {
                    return Some(fit);
                }
            }
            None
        })
    }

    /// The best written one of these signatures that is this body's under this key. All are compared, each in constant time.
    fn fitting<'s>(&self, body: &[u8], key: &[u8], signatures: &'s [Written]) -> Option<&'s Written> {
        let mac = match self.signing().content {
            Content::Body => signature::mac(key, &[body]),
            Content::IdTimestampBody { id_header, timestamp_header } => {
                let [id, timestamp] =
                    [id_header, timestamp_header].map(|name| self.received.header(name).unwrap_or_default());
                signature::mac(key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body])
            }
        }?;
        let is_it = |written: &&Written| hmac::Mac::verify_slice(mac.clone(), &written.bytes).is_ok();
        signatures.iter().filter(is_it).min_by_key(|written| written.writing)
    }

    fn of_fit(&self, fit: Fit, webhook: Option<&Webhook>) -> Finding {
        let own = webhook.map(|webhook| &webhook.secrets[fit.of]);
        let cause = fit.cause().or_else(|| self.cause_of_time());
        let explanation = match cause {
            None => explanation::good(own.and_then(|own| own.until)),
            Some(cause) => self.explained(cause, fit.making, own),
        };
        Finding { cause, explanation }
    }

    fn cause_of_time(&self) -> Option<Cause> {
        let (_, text) = self.timestamp()?;
        let age = self.received.at.as_second().saturating_sub(text.parse().ok()?);
        match age {
            _ if age > TOLERANCE_SECONDS => Some(Cause::TimestampOld),
            _ if age < -TOLERANCE_SECONDS => Some(Cause::TimestampInFuture),
            _ => None,
        }
    }

    /// A webhook's own secrets fit nothing. Where it is known what was sent, that tells which of both is wrong.
    fn without_fit(&self, webhook: &Webhook, signatures: &[Written]) -> Finding {
        let Some(sent) = &webhook.sent else { return self.without_event(webhook) };
        let is_signed = self.candidates(webhook).iter().any(|candidate| {
            candidate.key.making == Making::Right && self.fitting(sent, &candidate.key.bytes, signatures).is_some()
        });
        match self.change_from(sent) {
            Some(cause) if is_signed => self.finding(cause),
            _ => told(Cause::WrongSecret, explanation::signed_by_another(self.signing())),
        }
    }

    /// The same where nobody knows what was sent.
    fn without_event(&self, webhook: &Webhook) -> Finding {
        if webhook.secrets.is_empty() {
            return told(Cause::WrongSecret, explanation::signed_by_another(self.signing()));
        }
        // What we send has an id in its place, so this was changed.
        let names_an_event =
            self.dialect.body == BodyShape::IdEventDataTimestampWebhook && self.signing().content == Content::Body;
        let cause = match names_an_event && event_id_in(self.dialect, self.received).is_none() {
            true => Cause::BodyChanged,
            false => Cause::NoMatch,
        };
        told(cause, explanation::changed_or_of_another(self.signing()))
    }

    fn unsigned(&self, webhook: &Webhook) -> Finding {
        let change = webhook.sent.as_ref().and_then(|sent| self.change_from(sent));
        change
            .map_or_else(|| Finding { cause: None, explanation: explanation::unsigned() }, |cause| self.finding(cause))
    }

    /// What became of the body that was sent; nothing where it is the same to the byte.
    fn change_from(&self, sent: &[u8]) -> Option<Cause> {
        if self.received.body.as_bytes() == sent {
            return None;
        }
        let says =
            |text: &str| Tree::read(text.trim_start_matches('\u{feff}')).map(|tree| tree.canonical(Numbers::AsDoubles));
        let sent = std::str::from_utf8(sent).ok().and_then(says);
        let is_same = sent.is_some() && says(self.received.body) == sent;
        Some(if is_same { Cause::BodyReserialised } else { Cause::BodyChanged })
    }

    fn finding(&self, cause: Cause) -> Finding {
        told(cause, self.explained(cause, Making::Right, None))
    }

    fn explained(&self, cause: Cause, making: Making, own: Option<&OwnSecret>) -> String {
        explanation::of(cause, self.signing(), making, own)
    }
}

/// What is wrong with a secret of which a key was made so.
fn cause_of(making: Making) -> Option<Cause> {
    match making {
        Making::Right => None,
        Making::NotDecoded => Some(Cause::SecretNotDecoded),
        Making::Decoded | Making::Cut => Some(Cause::SecretDecoded),
        Making::Untidy => Some(Cause::WrongSecret),
    }
}

fn told(cause: Cause, explanation: String) -> Finding {
    Finding { cause: Some(cause), explanation }
}

fn is_of_time(cause: Cause) -> bool {
    matches!(cause, Cause::TimestampOld | Cause::TimestampInFuture)
}

fn is_same(one: &[u8], other: &[u8]) -> bool {
    // By the HMACs of both, which are compared in constant time.
    let Some((one, other)) = signature::mac(one, &[]).zip(signature::mac(other, &[])) else { return false };
    hmac::Mac::verify(one, &hmac::Mac::finalize(other).into_bytes()).is_ok()
}

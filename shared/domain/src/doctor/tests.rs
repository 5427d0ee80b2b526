//! Seeded mistakes, each of which has one name, and good requests, for which none is named.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;

use super::*;
use crate::dialect::{NETRAFLOW, NOUVEL, NUR, STANDARD};
use crate::event;
use crate::id::{EndpointId, EventId, TenantId};
use crate::payload;
use crate::secret::KeyDerivation;
use crate::signature::{Encoding, headers};

const TEXT: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const DIALECTS: [&Dialect; 6] = [&NUR, &NOUVEL, &NETRAFLOW, &STANDARD, &AS_ACME, &AS_SVIX];

/// As an operator may write one down: base64 of the body, with a prefix.
const AS_ACME: Dialect = Dialect {
    name: "as_acme",
    key_prefix: "acme_",
    signing: Signing { header: "X-Acme-Signature", encoding: Encoding::Base64, prefix: "v9=", ..NUR.signing },
    body: BodyShape::TypeTimestampData,
    ..NUR
};

/// The same with other headers for what is signed, around a payload alone.
const AS_SVIX: Dialect = Dialect {
    name: "as_svix",
    key_prefix: "svix_",
    signing: Signing {
        header: "svix-signature",
        content: Content::IdTimestampBody { id_header: "svix-id", timestamp_header: "svix-timestamp" },
        ..STANDARD.signing
    },
    body: BodyShape::DataAlone,
    ..STANDARD
};

fn now() -> Timestamp {
    Timestamp::from_second(1_768_487_401).unwrap()
}

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() + seconds).unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::stored(text.to_owned())
}

/// A request under way, to be left as it is or changed.
#[derive(Debug, Clone)]
struct Request {
    headers: Vec<(String, String)>,
    body: String,
    at: Timestamp,
}

impl Request {
    /// As it is sent with these secrets, the newest first.
    fn sent(dialect: &Dialect, secrets: &[&str], data: &str) -> Self {
        let secrets: Vec<_> = secrets.iter().map(|text| secret(text)).collect();
        let body = sent_body(dialect, data);
        let signed = headers(&dialect.signing, &secrets, event_id().as_str(), now(), body.as_bytes());
        let signed = signed.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        let usual = [("content-type".to_owned(), "application/json".to_owned())];
        Self { headers: usual.into_iter().chain(signed).collect(), body, at: now() }
    }

    /// With another body, and the headers as they are.
    fn with_body(self, body: impl Into<String>) -> Self {
        Self { body: body.into(), ..self }
    }

    fn verified_at(self, at: Timestamp) -> Self {
        Self { at, ..self }
    }

    /// With what a change makes of a header's value.
    fn with_header(mut self, name: &str, change: impl Fn(&str) -> String) -> Self {
        let header = self.headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)).unwrap();
        header.1 = change(&header.1);
        self
    }

    fn without_header(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    fn received(&self) -> Received<'_> {
        Received { headers: &self.headers, body: &self.body, at: self.at }
    }

    fn found(&self, dialect: &'static Dialect, known: &Known) -> Option<Cause> {
        let finding = examine(dialect, self.received(), known);
        for text in [TEXT, &TEXT[6..], OTHER, &OTHER[6..]] {
            assert!(!finding.explanation.contains(text), "a secret is told: {}", finding.explanation);
        }
        for (name, value) in &self.headers {
            let is_told = value.len() > 16 && finding.explanation.contains(value.as_str());
            assert!(!is_told, "{name} is repeated: {}", finding.explanation);
        }
        assert!(finding.explanation.len() > 60 && finding.explanation.ends_with('.'), "{}", finding.explanation);
        finding.cause
    }

    fn with_secret(&self, dialect: &'static Dialect, text: &str) -> Option<Cause> {
        self.found(dialect, &Known::Secret(secret(text)))
    }

    fn with_webhook(&self, dialect: &'static Dialect, webhook: &Webhook) -> Option<Cause> {
        self.found(dialect, &Known::Webhook(webhook.clone()))
    }

    fn with_both(&self, dialect: &'static Dialect, webhook: &Webhook, text: &str) -> Option<Cause> {
        self.found(dialect, &Known::Both(webhook.clone(), secret(text)))
    }
}

fn event_id() -> EventId {
    EventId::fresh(7)
}

fn sent_body(dialect: &Dialect, data: &str) -> String {
    let event = event::Event {
        tenant_id: TenantId::new(now(), 1),
        id: event_id(),
        event_type: "dubbing.completed".parse().unwrap(),
        data: data.to_owned(),
        timestamp: now(),
        expires_at: 0,
        ours: false,
        counted: false,
        job_id: None,
        announce: None,
        test_of: None,
        tags: std::collections::BTreeMap::new(),
        traceparent: None,
    };
    String::from_utf8(payload::body(dialect.body, &event, &EndpointId::new(now(), 1)).unwrap()).unwrap()
}

const DATA: &str = r#"{"b": 1.50, "a": "é/", "list": [1, {"c": null}]}"#;

fn own(text: &str, until: Option<Timestamp>) -> OwnSecret {
    OwnSecret { secret: secret(text), until }
}

fn webhook(secrets: &[(&str, Option<Timestamp>)]) -> Webhook {
    Webhook { secrets: secrets.iter().map(|(text, until)| own(text, *until)).collect(), sent: None }
}

/// With the event whose body it was.
fn knowing(webhook: Webhook, dialect: &Dialect, data: &str) -> Webhook {
    Webhook { sent: Some(sent_body(dialect, data).into_bytes()), ..webhook }
}

fn header(dialect: &Dialect) -> &'static str {
    dialect.signing.header
}

/// A mistake: what it makes of a good request in this dialect, if it can be made there.
type Mistake = fn(&'static Dialect, Request) -> Option<Request>;

fn signed_under(dialect: &'static Dialect, request: Request, key: &[u8]) -> Request {
    let case = Case { dialect, received: request.received() };
    let mac = match dialect.signing.content {
        Content::Body => signature::mac(key, &[request.body.as_bytes()]),
        Content::IdTimestampBody { id_header, timestamp_header } => {
            let [id, at] = [id_header, timestamp_header].map(|name| case.received.header(name).unwrap().to_owned());
            signature::mac(key, &[id.as_bytes(), b".", at.as_bytes(), b".", request.body.as_bytes()])
        }
    };
    let bytes = hmac::Mac::finalize(mac.unwrap()).into_bytes();
    let value = format!("{}{}", dialect.signing.prefix, dialect.signing.encoding.of(&bytes));
    request.with_header(dialect.signing.header, move |_| value.clone())
}

/// What somebody's own framework, proxy or clock makes of a good request, with the name that each has whoever's secret is asked about.
const MISTAKES: [(&str, Cause, Mistake); 19] = [
    ("the prefix is cut", Cause::PrefixMissing, |dialect, request| {
        let prefix = dialect.signing.prefix;
        (!prefix.is_empty()).then(|| request.with_header(header(dialect), |value| value.replace(prefix, "")))
    }),
    ("the prefix is another", Cause::PrefixMissing, |dialect, request| {
        let prefix = dialect.signing.prefix;
        (!prefix.is_empty()).then(|| request.with_header(header(dialect), |value| value.replace(prefix, "sha512=")))
    }),
    ("the signature's header is dropped", Cause::HeaderMissing, |dialect, request| {
        Some(request.without_header(header(dialect)))
    }),
    ("the signature's header is empty", Cause::HeaderMissing, |dialect, request| {
        Some(request.with_header(header(dialect), |_| " ".to_owned()))
    }),
    ("another header that is signed is dropped", Cause::HeaderMissing, |dialect, request| {
        match dialect.signing.content {
            Content::Body => None,
            Content::IdTimestampBody { timestamp_header, .. } => Some(request.without_header(timestamp_header)),
        }
    }),
    ("the time is written for people", Cause::HeaderMissing, |dialect, request| match dialect.signing.content {
        Content::Body => None,
        Content::IdTimestampBody { timestamp_header, .. } => {
            Some(request.with_header(timestamp_header, |_| "2026-01-15T14:30:01Z".to_owned()))
        }
    }),
    ("base64 for URLs", Cause::WrongEncoding, |dialect, request| {
        let url_safe = |value: &str| value.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned();
        (dialect.signing.encoding == Encoding::Base64).then(|| request.with_header(header(dialect), url_safe))
    }),
    ("hexadecimal in upper case", Cause::WrongEncoding, |dialect, request| {
        let prefix = dialect.signing.prefix;
        let upper = move |value: &str| format!("{prefix}{}", value[prefix.len()..].to_ascii_uppercase());
        (dialect.signing.encoding == Encoding::Hex).then(|| request.with_header(header(dialect), upper))
    }),
    ("one encoding for the other", Cause::WrongEncoding, |dialect, request| {
        let (prefix, encoding) = (dialect.signing.prefix, dialect.signing.encoding);
        let other = if encoding == Encoding::Hex { Encoding::Base64 } else { Encoding::Hex };
        let turned =
            move |value: &str| format!("{prefix}{}", other.of(&written::decoded(&value[prefix.len()..]).unwrap()));
        Some(request.with_header(header(dialect), turned))
    }),
    ("JavaScript wrote the body anew", Cause::BodyReserialised, |_, request| {
        let body = request.body.replace("\": ", "\":").replace(", \"", ",\"").replace("[1, ", "[1,");
        Some(request.with_body(body))
    }),
    ("Python wrote the body anew", Cause::BodyReserialised, |_, request| {
        let body = request
            .body
            .replace("\":\"", "\": \"")
            .replace("\":{", "\": {")
            .replace(",\"", ", \"")
            .replace('é', "\\u00e9");
        Some(request.with_body(body))
    }),
    ("somebody printed the body for people", Cause::BodyReserialised, |_, request| {
        let value: serde_json::Value = serde_json::from_str(&request.body.replace("1.50", "15")).unwrap();
        let body = serde_json::to_string_pretty(&value).unwrap().replace("15,", "1.50,");
        Some(request.with_body(body))
    }),
    ("a line's end stands behind the body", Cause::BodyReserialised, |_, request| {
        let body = format!("{}\n", request.body);
        Some(request.with_body(body))
    }),
    ("the body was read as Latin-1", Cause::BodyReserialised, |_, request| {
        let body: String = request.body.bytes().map(char::from).collect();
        Some(request.with_body(body))
    }),
    ("the body is a string of JSON", Cause::BodyReserialised, |_, request| {
        let body = serde_json::to_string(&request.body).unwrap();
        Some(request.with_body(body))
    }),
    ("the receiver's clock is ahead", Cause::TimestampOld, |dialect, request| {
        (dialect.signing.content != Content::Body).then(|| request.verified_at(later(301)))
    }),
    ("the receiver's clock is behind", Cause::TimestampInFuture, |dialect, request| {
        (dialect.signing.content != Content::Body).then(|| request.verified_at(later(-301)))
    }),
    ("the signer decoded the secret", Cause::SecretDecoded, |dialect, request| {
        let decoded = written::any_base64(&TEXT[6..]).unwrap();
        (dialect.signing.key == KeyDerivation::WholeText).then(|| signed_under(dialect, request, &decoded))
    }),
    ("the signer did not decode the secret", Cause::SecretNotDecoded, |dialect, request| {
        (dialect.signing.key != KeyDerivation::WholeText).then(|| signed_under(dialect, request, TEXT.as_bytes()))
    }),
];

#[test]
fn each_seeded_mistake_has_its_name() {
    let mut made = 0;
    for dialect in DIALECTS {
        for (what, cause, mistake) in MISTAKES {
            let Some(request) = mistake(dialect, Request::sent(dialect, &[TEXT], DATA)) else { continue };
            let known = webhook(&[(TEXT, None)]);
            let name = dialect.name;
            assert_eq!(request.with_secret(dialect, TEXT), Some(cause), "{name}, with a secret: {what}");
            assert_eq!(request.with_webhook(dialect, &known), Some(cause), "{name}, with a webhook: {what}");
            assert_eq!(request.with_both(dialect, &known, TEXT), Some(cause), "{name}, with both: {what}");
            let known = knowing(known, dialect, DATA);
            assert_eq!(request.with_webhook(dialect, &known), Some(cause), "{name}, with its event: {what}");
            made += 1;
        }
    }
    assert!(made > 80, "{made}");
}

#[test]
fn for_a_good_request_of_each_dialect_no_mistake_is_named() {
    for dialect in DIALECTS {
        for data in [DATA, "{}", r#"{"title":"é 🙂 \u2028","ratio":1.50}"#] {
            let request = Request::sent(dialect, &[TEXT], data);
            let known = knowing(webhook(&[(TEXT, None)]), dialect, data);
            assert_eq!(request.with_secret(dialect, TEXT), None, "{}", dialect.name);
            assert_eq!(request.with_webhook(dialect, &known), None);
            assert_eq!(request.with_both(dialect, &known, TEXT), None);
            for seconds in [-300, 300] {
                assert_eq!(request.clone().verified_at(later(seconds)).with_secret(dialect, TEXT), None);
            }
            let upper = request.headers.iter().map(|(name, value)| (name.to_uppercase(), value.clone())).collect();
            assert_eq!(Request { headers: upper, ..request }.with_secret(dialect, TEXT), None);
        }
    }
    let standard = Request::sent(&STANDARD, &[TEXT], DATA);
    assert_eq!(standard.with_secret(&STANDARD, &TEXT[6..]), None, "libraries take it without its prefix, too");
}

#[test]
fn in_a_rotation_a_good_request_is_good() {
    let rotating = webhook(&[(OTHER, None), (TEXT, Some(later(3600)))]);
    for dialect in DIALECTS {
        let request = Request::sent(dialect, &[OTHER, TEXT], DATA);
        assert_eq!(request.with_webhook(dialect, &rotating), None, "{}", dialect.name);
        assert_eq!(request.with_secret(dialect, TEXT), None, "the old secret still verifies");
        assert_eq!(request.with_both(dialect, &rotating, TEXT), None);
        let by_new = request.with_both(dialect, &rotating, OTHER);
        match dialect.signing.content {
            Content::IdTimestampBody { .. } => assert_eq!(by_new, None, "it has a signature of each"),
            Content::Body => {
                assert_eq!(by_new, Some(Cause::SecretRotated), "it has the old one's until the grace ends")
            }
        }
    }
}

#[test]
fn who_verifies_with_a_secret_that_was_rotated_out_is_told_so() {
    let rotated = webhook(&[(OTHER, None), (TEXT, Some(later(-1)))]);
    for dialect in DIALECTS {
        let old = Request::sent(dialect, &[TEXT], DATA);
        assert_eq!(old.with_webhook(dialect, &rotated), Some(Cause::SecretRotated), "{}", dialect.name);
        assert_eq!(old.with_both(dialect, &rotated, OTHER), Some(Cause::SecretRotated));
        assert_eq!(
            old.clone().verified_at(later(-2)).with_webhook(dialect, &rotated),
            None,
            "it was good when it came"
        );
        let new = Request::sent(dialect, &[OTHER], DATA);
        assert_eq!(new.with_webhook(dialect, &rotated), None);
        assert_eq!(new.with_both(dialect, &rotated, TEXT), Some(Cause::SecretRotated));
        assert_eq!(new.with_secret(dialect, TEXT), Some(Cause::NoMatch), "a bare secret cannot tell");
    }
}

#[test]
fn a_wrong_secret_and_a_changed_body_are_told_apart_where_they_can_be() {
    for dialect in DIALECTS {
        let known = webhook(&[(TEXT, None)]);
        let with_event = knowing(known.clone(), dialect, DATA);
        let good = Request::sent(dialect, &[TEXT], DATA);
        let forged = Request::sent(dialect, &[OTHER], DATA);
        let changed = good.clone().with_body(good.body.replace("[1,", "[2,"));
        for request in [&forged, &changed] {
            assert_eq!(request.with_secret(dialect, TEXT), Some(Cause::NoMatch), "{}", dialect.name);
        }
        assert_eq!(changed.with_webhook(dialect, &with_event), Some(Cause::BodyChanged));
        for request in [&forged, &changed] {
            assert_eq!(request.with_webhook(dialect, &known), Some(Cause::NoMatch), "its event is not known");
        }
        assert_eq!(changed.with_both(dialect, &with_event, TEXT), Some(Cause::BodyChanged));
        assert_eq!(forged.with_webhook(dialect, &Webhook::default()), Some(Cause::WrongSecret), "it has none");
        assert_eq!(forged.with_webhook(dialect, &with_event), Some(Cause::WrongSecret));
        assert_eq!(good.with_both(dialect, &known, OTHER), Some(Cause::WrongSecret));
        assert_eq!(forged.with_both(dialect, &known, OTHER), Some(Cause::WrongSecret), "both are another webhook's");
        assert_eq!(changed.with_both(dialect, &known, OTHER), Some(Cause::WrongSecret));
        let old = good.clone().verified_at(later(999_999));
        assert_eq!(old.with_both(dialect, &known, OTHER), Some(Cause::WrongSecret));
        for untidy in [format!("{TEXT}\n"), format!(" {TEXT}"), format!("\"{TEXT}\""), format!("\u{feff}{TEXT}")] {
            assert_eq!(good.with_secret(dialect, &untidy), Some(Cause::WrongSecret), "{untidy:?}");
            assert_eq!(good.with_both(dialect, &known, &untidy), Some(Cause::WrongSecret), "{untidy:?}");
        }
    }
}

#[test]
fn a_header_that_holds_no_signature_is_told_so() {
    let known = webhook(&[(TEXT, None)]);
    for dialect in DIALECTS {
        let good = Request::sent(dialect, &[TEXT], DATA);
        for (keeps, nothing) in [(0, "***"), (0, "v1,"), (0, "[\"\"]"), (20, "")] {
            let request = good.clone().with_header(header(dialect), |value| format!("{}{nothing}", &value[..keeps]));
            let causes = [request.with_secret(dialect, TEXT), request.with_webhook(dialect, &known)];
            assert_eq!(causes, [Some(Cause::WrongEncoding); 2], "{} {nothing}", dialect.name);
            assert_eq!(request.with_both(dialect, &known, TEXT), Some(Cause::WrongEncoding));
        }
    }
}

#[test]
fn a_body_that_a_gateway_took_for_binary_is_known() {
    for dialect in DIALECTS {
        let good = Request::sent(dialect, &[TEXT], DATA);
        let encoded = BASE64.encode(&good.body);
        assert_eq!(
            good.with_body(encoded).with_secret(dialect, TEXT),
            Some(Cause::BodyReserialised),
            "{}",
            dialect.name
        );
    }
}

/// What loses digits, or the order of keys, no search finds: the event does.
#[test]
fn with_its_event_any_writing_of_the_same_value_is_known() {
    let data = r#"{"z": 12345678901234567890, "a": 1e2, "m": 1.10}"#;
    for dialect in [&STANDARD, &NUR, &AS_SVIX] {
        let request = Request::sent(dialect, &[TEXT], data);
        let body = request.body.replace(data, r#"{"a":100,"m":1.1,"z":12345678901234567000}"#);
        let request = request.with_body(body);
        let known = webhook(&[(TEXT, None)]);
        assert_eq!(request.with_webhook(dialect, &known), Some(Cause::NoMatch), "{}", dialect.name);
        assert_eq!(request.with_webhook(dialect, &knowing(known, dialect, data)), Some(Cause::BodyReserialised));
    }
}

#[test]
fn a_secret_that_was_decoded_or_cut_before_it_came_here_is_told_so() {
    let hex = hex::encode(written::any_base64(&TEXT[6..]).unwrap());
    let standard = Request::sent(&STANDARD, &[TEXT], DATA);
    assert_eq!(standard.with_secret(&STANDARD, &hex), Some(Cause::SecretDecoded));
    assert_eq!(standard.with_both(&STANDARD, &webhook(&[(TEXT, None)]), &hex), Some(Cause::SecretDecoded));
    for dialect in [&NUR, &NOUVEL, &NETRAFLOW, &AS_ACME] {
        let request = Request::sent(dialect, &[TEXT], DATA);
        assert_eq!(request.with_secret(dialect, &TEXT[6..]), Some(Cause::SecretDecoded), "{}", dialect.name);
        assert_eq!(request.with_both(dialect, &webhook(&[(TEXT, None)]), &TEXT[6..]), Some(Cause::SecretDecoded));
    }
}

#[test]
fn a_request_of_another_dialect_is_told_so() {
    for dialect in [&NUR, &NOUVEL, &NETRAFLOW, &STANDARD] {
        for other in [&NUR, &NOUVEL, &NETRAFLOW, &STANDARD] {
            let request = Request::sent(other, &[TEXT], DATA);
            let expected = (dialect.name != other.name).then_some(Cause::WrongDialect);
            assert_eq!(request.with_secret(dialect, TEXT), expected, "{} as {}", other.name, dialect.name);
            assert_eq!(request.with_webhook(dialect, &webhook(&[(TEXT, None)])), expected);
            assert_eq!(request.with_both(dialect, &webhook(&[(TEXT, None)]), TEXT), expected);
            assert_eq!(dialect_of(request.received(), Some(dialect)).map(|found| found.name), Some(other.name));
            assert_eq!(dialect_of(request.received(), None).map(|found| found.name), Some(other.name));
        }
    }
    let nothing = Request { headers: Vec::new(), body: "{}".to_owned(), at: now() };
    assert_eq!(dialect_of(nothing.received(), Some(&NUR)).map(|found| found.name), Some("nur"));
    assert_eq!(dialect_of(nothing.received(), None), None);
}

#[test]
fn of_a_webhook_without_a_secret_no_signature_is_missed() {
    let unsigned = webhook(&[]);
    for dialect in DIALECTS {
        let request = Request::sent(dialect, &[], DATA);
        assert_eq!(request.with_webhook(dialect, &unsigned), None, "{}", dialect.name);
        let finding = examine(dialect, request.received(), &Known::Webhook(unsigned.clone()));
        assert!(finding.explanation.contains("has no secret"), "{}", finding.explanation);
        let known = knowing(unsigned.clone(), dialect, DATA);
        assert_eq!(request.with_webhook(dialect, &known), None);
        let changed = request.clone().with_body(request.body.replace("null", "true"));
        assert_eq!(changed.with_webhook(dialect, &known), Some(Cause::BodyChanged));
        let written_anew = request.clone().with_body(request.body.replace(": 1.50", ":1.5"));
        assert_eq!(written_anew.with_webhook(dialect, &known), Some(Cause::BodyReserialised));
        assert_eq!(Request::sent(dialect, &[TEXT], DATA).with_webhook(dialect, &known), Some(Cause::WrongSecret));
        assert_eq!(
            request.with_secret(dialect, TEXT),
            Some(Cause::HeaderMissing),
            "a bare secret says that it is signed"
        );
    }
}

#[test]
fn the_largest_body_that_is_sent_can_be_asked_about() {
    let data = format!("{{{}}}", " ".repeat(event::MAX_DATA_BYTES - 2));
    for dialect in DIALECTS {
        assert!(Request::sent(dialect, &[TEXT], &data).body.len() <= MAX_BODY_BYTES);
    }
}

#[test]
fn an_explanation_names_what_it_is_about() {
    let told = |request: &Request, dialect: &'static Dialect, text: &str| {
        examine(dialect, request.received(), &Known::Secret(secret(text))).explanation
    };
    let standard = Request::sent(&STANDARD, &[TEXT], DATA);
    let missing =
        told(&standard.clone().without_header("webhook-id").without_header("webhook-signature"), &STANDARD, TEXT);
    assert!(missing.contains("`webhook-id` and `webhook-signature`"), "{missing}");
    let no_match = told(&standard, &STANDARD, OTHER);
    assert!(no_match.contains("secret") && no_match.contains("changed"), "both are named: {no_match}");
    let wrong = told(&standard, &NUR, TEXT);
    assert!(wrong.contains("`standard`") && wrong.contains("`nur`"), "{wrong}");
    assert!(told(&standard, &STANDARD, TEXT).contains("before any parser"));
}

#[test]
fn an_events_id_is_found_where_its_dialect_has_it() {
    for (dialect, found) in [(&STANDARD, true), (&NUR, true), (&AS_SVIX, true), (&AS_ACME, false), (&NOUVEL, false)] {
        let request = Request::sent(dialect, &[TEXT], DATA);
        let id = event_id_in(dialect, request.received());
        assert_eq!(id, found.then(|| event_id().to_string()), "{}", dialect.name);
    }
    let no_json = Request::sent(&NUR, &[TEXT], DATA).with_body("[object Object]");
    assert_eq!(event_id_in(&NUR, no_json.received()), None);
    assert_eq!(no_json.with_webhook(&NUR, &webhook(&[(TEXT, None)])), Some(Cause::BodyChanged), "all ours have an id");
}

#[test]
fn a_search_ends_however_large_the_body_is() {
    let items = vec![r#"{"a": "é/<", "b": 1}"#; 11_300].join(", ");
    let request = Request::sent(&STANDARD, &[OTHER], &format!("{{\"items\": [{items}]}}"));
    assert!((250 * 1024..MAX_BODY_BYTES).contains(&request.body.len()), "{}", request.body.len());
    let secrets: Vec<_> = (0..6).map(|n| (TEXT, Some(later(n)))).collect();
    assert_eq!(request.with_webhook(&STANDARD, &webhook(&secrets)), Some(Cause::NoMatch));
}

/// Any JSON that a producer may have written, in one of the usual hands.
fn data() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<i32>().prop_map(|n| n.to_string()),
        "[a-zé<>/🙂 ]{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    let field = ("[a-z]{1,6}", leaf);
    proptest::collection::vec(field, 0..6).prop_map(|fields| {
        let mut seen = std::collections::BTreeMap::new();
        for (name, value) in fields {
            seen.insert(name, value);
        }
        let fields: Vec<_> = seen.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        format!("{{{}}}", fields.join(", "))
    })
}

fn any_secret() -> impl Strategy<Value = String> {
    any::<[u8; 32]>()
        .prop_map(|random| Secret::generate(&random, KeyDerivation::Base64After("whsec_")).expose().to_owned())
}

fn any_dialect() -> impl Strategy<Value = &'static Dialect> {
    proptest::sample::select(DIALECTS.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_good_request_is_valid_and_no_other(dialect in any_dialect(), text in any_secret(), other in any_secret(), data in data(), at in any::<prop::sample::Index>()) {
        let request = Request::sent(dialect, &[&text], &data);
        prop_assert_eq!(request.with_secret(dialect, &text), None);
        let known = knowing(webhook(&[(&text, None)]), dialect, &data);
        prop_assert_eq!(request.with_webhook(dialect, &known), None);
        prop_assert_eq!(request.with_both(dialect, &known, &other), Some(Cause::WrongSecret));
        // A letter more, at any place between two characters.
        let places: Vec<_> = request.body.char_indices().map(|(at, _)| at).collect();
        let at = places[at.index(places.len())];
        let body = format!("{}x{}", &request.body[..at], &request.body[at..]);
        let changed = request.clone().with_body(body);
        prop_assert_eq!(changed.with_secret(dialect, &text), Some(Cause::NoMatch));
        prop_assert_eq!(changed.with_webhook(dialect, &known), Some(Cause::BodyChanged));
        // And a signature of which one bit is another.
        let prefix = dialect.signing.prefix;
        let flipped = request.with_header(header(dialect), |value| {
            let mut bytes = written::decoded(&value[prefix.len()..]).unwrap();
            bytes[31] ^= 1;
            format!("{prefix}{}", dialect.signing.encoding.of(&bytes))
        });
        prop_assert_eq!(flipped.with_secret(dialect, &text), Some(Cause::NoMatch));
        prop_assert_eq!(flipped.with_webhook(dialect, &known), Some(Cause::WrongSecret));
    }

    #[test]
    fn a_body_that_was_written_anew_is_known_with_its_secret_alone(dialect in any_dialect(), text in any_secret(), data in data()) {
        let request = Request::sent(dialect, &[&text], &data);
        let compact = Tree::read(&request.body).unwrap();
        let value: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        for body in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
            let expected = (body != request.body).then_some(Cause::BodyReserialised);
            let same = Tree::read(&body);
            prop_assert_eq!(same.as_ref(), Some(&compact));
            prop_assert_eq!(request.clone().with_body(body).with_secret(dialect, &text), expected);
        }
    }

    #[test]
    fn each_single_mistake_has_its_name(dialect in any_dialect(), data in data(), which in 0..MISTAKES.len()) {
        // Those of the body are for data that they change.
        let (_, cause, mistake) = MISTAKES[which];
        prop_assume!(cause != Cause::BodyReserialised);
        if let Some(request) = mistake(dialect, Request::sent(dialect, &[TEXT], &data)) {
            prop_assert_eq!(request.with_secret(dialect, TEXT), Some(cause));
            prop_assert_eq!(request.with_webhook(dialect, &webhook(&[(TEXT, None)])), Some(cause));
        }
    }

    #[test]
    fn whatever_comes_is_answered(name in "[a-zA-Z-]{0,20}", value in ".{0,80}", body in ".{0,200}", text in ".{0,40}") {
        let mut headers = vec![(name, value.clone())];
        headers.extend(["webhook-id", "webhook-timestamp", "webhook-signature", "x-nur-signature"].map(|name| (name.to_owned(), value.clone())));
        let request = Request { headers, body, at: now() };
        for dialect in DIALECTS {
            let finding = examine(dialect, request.received(), &Known::Secret(secret(&text)));
            prop_assert!(finding.cause.is_some());
        }
    }
}

//! What a route refuses: its own errors, those of every route of its kind, and the gateway's. Each error is one as it is answered.

use std::collections::BTreeMap;
use std::error::Error;

use postrider_api::document::Schemas;
use postrider_api::{ApiError, Credential, ErrorShape, Failed, MetaFailed, Operation, PlainFailed};
use postrider_aws::Failure;
use postrider_domain::invalid::Invalid;
use serde_json::{Map, Value, json};

/// An error, and when it is answered.
type Told<'a> = (&'a ApiError, &'a str);

const AMISS: &str =
    "A field, a query parameter or a header is amiss, or the body is no JSON object. The answer names what.";
const NO_KEY: &str = "No key was sent, or an unknown or expired one.";
const NO_SCOPE: &str = "The key lacks the scope, or is of a kind that this route is not for.";
const SUSPENDED: &str = "The key's tenant is suspended.";
const NO_SESSION: &str = "No session was sent, or one that has ended.";
const NO_VISITOR: &str = "It is a key, and no session.";
const SUSPENDED_PORTAL: &str = "The session's tenant is suspended.";
const NOT_THE_OPERATOR: &str = "The key is good, but not the operator's.";
const UNKNOWN: &str = "There is no such thing, or it is another tenant's.";
const NO_JSON: &str = "The body is not said to be JSON, or is said to be compressed.";
const OURS: &str = "Something went wrong on Postrider's side. The message says whether repeating the request is safe.";
const BUSY: &str = "It cannot be done at the moment. The message says whether repeating the request is safe.";
const TOO_LARGE: &str = "to requests of more than 10 MB.";
const THROTTLED: &str = "when it takes no more requests at the moment.";
const UNREACHED: &str = "when it could not reach the function.";
/// The id of a request, where an error has it inside.
const REQUEST_ID: &str = "KZx1wjQxIAMESPw=";

/// Answers that several routes have, by their names.
#[derive(Default)]
pub(crate) struct Refusals(BTreeMap<String, Value>);

impl Refusals {
    /// What a route answers when all is not well, by status.
    pub(crate) fn of(
        &mut self,
        path: &str,
        credential: Credential,
        about: &Operation,
    ) -> Result<Vec<(u16, Value)>, Box<dyn Error>> {
        let shape = ErrorShape::of(&path.trim_start_matches('/').split('/').collect::<Vec<_>>());
        let common = common(path, credential, about);
        let of_all = common.iter().map(|(error, when)| (error, *when));
        let own = about.refusals.iter().map(|refusal| (&refusal.error, refusal.when.as_ref()));
        let mut by_status: BTreeMap<u16, Vec<Told<'_>>> = BTreeMap::new();
        for (error, when) in of_all.chain(own) {
            by_status.entry(error.status()).or_default().push((error, when));
        }
        let of_gateway = of_gateway(about);
        for (status, ..) in &of_gateway {
            by_status.entry(*status).or_default();
        }
        let mut answers = Vec::new();
        for (status, told) in by_status {
            let gateways = of_gateway.iter().find(|one| one.0 == status);
            let answer = answer(shape, status, &told, gateways.map(|(_, when, message)| (*when, *message)))?;
            let is_common = about.refusals.iter().all(|refusal| refusal.error.status() != status);
            answers.push((
                status,
                if is_common { self.named_once(shape, status, credential, &told, answer) } else { answer },
            ));
        }
        Ok(answers)
    }

    /// A reference to an answer that several routes have.
    fn named_once(
        &mut self,
        shape: ErrorShape,
        status: u16,
        credential: Credential,
        told: &[Told<'_>],
        answer: Value,
    ) -> Value {
        let name = name(shape, status, credential, told.is_empty());
        if *self.0.entry(name.clone()).or_insert_with(|| answer.clone()) != answer {
            return answer;
        }
        json!({"$ref": format!("#/components/responses/{name}")})
    }

    /// Those that several routes have; with them come the shapes of errors.
    pub(crate) fn named(&self, schemas: &mut Schemas) -> Map<String, Value> {
        schemas.of(|generator| generator.subschema_for::<Failed>());
        schemas.of(|generator| generator.subschema_for::<PlainFailed<'static>>());
        schemas.of(|generator| generator.subschema_for::<MetaFailed<'static>>());
        schemas.of(|generator| generator.subschema_for::<GatewayFailed>());
        self.0.clone().into_iter().collect()
    }
}

/// What the gateway answers itself.
#[derive(schemars::JsonSchema)]
#[schemars(rename = "GatewayError")]
#[expect(dead_code, reason = "it is the gateway's; here stands what it looks like")]
struct GatewayFailed {
    /// What went wrong, for people.
    #[schemars(length(min = 1), example = &"Service Unavailable")]
    message: String,
}

fn common(path: &str, credential: Credential, about: &Operation) -> Vec<(ApiError, &'static str)> {
    let unknown = || Invalid::new("dry_run", "no query parameters");
    let mut all = vec![(ApiError::from(unknown()), AMISS)];
    match credential {
        Credential::Bearer | Credential::Header | Credential::BearerOrOperator => {
            all.extend([
                (ApiError::unauthorized("unknown API key"), NO_KEY),
                (ApiError::tenant_suspended(), SUSPENDED),
                (ApiError::forbidden("this API key lacks the scope `webhooks:read`"), NO_SCOPE),
            ]);
        }
        Credential::Operator => all.extend([
            (ApiError::unauthorized("unknown API key"), NO_KEY),
            (ApiError::forbidden("this route is the operator's; it takes the admin key"), NOT_THE_OPERATOR),
        ]),
        Credential::Session => all.extend([
            (ApiError::unauthorized("this session has ended; ask for a new link to the portal"), NO_SESSION),
            (ApiError::tenant_suspended(), SUSPENDED_PORTAL),
            (
                ApiError::forbidden("this is for a visitor of the portal: it takes a session, and no API key"),
                NO_VISITOR,
            ),
        ]),
        Credential::Nothing => {}
    }
    if path.contains('{') && credential != Credential::Nothing {
        let what = match path {
            path if path.contains("jobs") => "job",
            path if path.contains("event-types") => "event type",
            _ => "webhook",
        };
        all.push((ApiError::not_found(what), UNKNOWN));
    }
    if about.body.is_some() {
        all.push((ApiError::unsupported_media_type("expected `Content-Type: application/json`"), NO_JSON));
    }
    all.push((ApiError::from(Failure::Missing("a webhook")).safe_to_repeat(), OURS));
    all.push((ApiError::from(Failure::OutOfTime).safe_to_repeat(), BUSY));
    all
}

/// Statuses, when they are answered, and with which message.
fn of_gateway(about: &Operation) -> Vec<(u16, &'static str, &'static str)> {
    let too_large = about.body.as_ref().map(|_| (413, TOO_LARGE, "Request Entity Too Large"));
    let others = [
        (429, THROTTLED, "Too Many Requests"),
        (500, UNREACHED, "Internal Server Error"),
        (503, UNREACHED, "Service Unavailable"),
    ];
    too_large.into_iter().chain(others).collect()
}

fn answer(
    shape: ErrorShape,
    status: u16,
    told: &[Told<'_>],
    gateways: Option<(&str, &str)>,
) -> Result<Value, Box<dyn Error>> {
    let mut lines: Vec<String> = told.iter().map(|(error, when)| format!("- `{}`: {when}", error.code())).collect();
    lines.extend(gateways.map(|(when, _)| format!("- The gateway answers so itself {when}")));
    let mut names: Vec<&str> = Vec::new();
    for (error, _) in told {
        // A route may say of a code what is not said of it in general. Clients are made of each code once.
        if !names.contains(&error.code()) {
            names.push(error.code());
        }
    }
    let ours = (!names.is_empty()).then(|| body(shape, &names));
    let of_gateway = gateways.map(|_| json!({"$ref": "#/components/schemas/GatewayError"}));
    let bodies: Vec<Value> = ours.into_iter().chain(of_gateway).collect();
    let schema = match bodies.as_slice() {
        [one] => one.clone(),
        several => json!({"anyOf": several}),
    };
    // The last one: the route's own, where it has one.
    let example = match (told.last(), gateways) {
        (Some((error, _)), _) => written(shape, error)?,
        (None, gateways) => json!({"message": gateways.map(|(_, message)| message)}),
    };
    let mut headers = json!({"x-request-id": {"$ref": "#/components/headers/RequestId"}});
    if matches!(status, 429 | 503) {
        headers["Retry-After"] = json!({"$ref": "#/components/headers/RetryAfter"});
    }
    Ok(json!({
        "description": lines.join("\n"),
        "headers": headers,
        "content": {"application/json": {"schema": schema, "example": example}},
    }))
}

/// An error as a route answers it.
fn written(shape: ErrorShape, error: &ApiError) -> Result<Value, Box<dyn Error>> {
    let answer = serde_json::to_value(shape.response(error, REQUEST_ID).into_gateways(REQUEST_ID))?;
    Ok(serde_json::from_str(answer["body"].as_str().ok_or("an error has a body")?)?)
}

/// An error's shape with the codes that it can have.
fn body(shape: ErrorShape, codes: &[&str]) -> Value {
    let (schema, narrowed) = match shape {
        ErrorShape::Coded => ("Error", json!({"error": {"properties": {"code": {"enum": codes}}}})),
        ErrorShape::WithMeta => ("ErrorWithMeta", json!({"error": {"properties": {"code": {"enum": codes}}}})),
        ErrorShape::Plain => ("PlainError", json!({"reason": {"enum": codes}})),
    };
    json!({"allOf": [{"$ref": format!("#/components/schemas/{schema}")}, {"properties": narrowed}]})
}

fn name(shape: ErrorShape, status: u16, credential: Credential, is_gateways: bool) -> String {
    let words = match status {
        400 => "Invalid",
        401 if credential == Credential::Session => "NoSession",
        401 => "Unauthorized",
        403 if credential == Credential::Session => "NoVisitor",
        403 if credential == Credential::Operator => "ForbiddenToAllButOperator",
        403 => "Forbidden",
        404 => "NotFound",
        413 => "TooLarge",
        415 => "UnsupportedMediaType",
        429 => "Throttled",
        500 => "Internal",
        503 => "Unavailable",
        _ => "Refused",
    };
    match shape {
        _ if is_gateways => words.to_owned(),
        ErrorShape::Coded => words.to_owned(),
        ErrorShape::Plain => format!("{words}Plain"),
        ErrorShape::WithMeta => format!("{words}WithMeta"),
    }
}

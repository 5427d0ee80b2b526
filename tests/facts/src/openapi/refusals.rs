//! What a route refuses: its own errors, those of every route of its kind, and the gateway's.

use std::borrow::Cow;
use std::collections::BTreeMap;

use postrider_api::document::{Operation, Schemas};
use postrider_api::{Credential, ErrorShape, Failed, MetaFailed, PlainFailed};
use serde_json::{Map, Value, json};

/// A code, and when it is answered.
type Told = (Cow<'static, str>, Cow<'static, str>);

const AMISS: &str =
    "A field, a query parameter or a header is amiss, or the body is no JSON object. The answer names what.";
const NO_KEY: &str = "No key was sent, or an unknown or expired one.";
const NO_SCOPE: &str = "The key lacks the scope, or is of a kind that this route is not for.";
const SUSPENDED: &str = "The key's tenant is suspended.";
const NOT_THE_OPERATOR: &str = "The key is good, but not the operator's.";
const UNKNOWN: &str = "There is no such thing, or it is another tenant's.";
const NO_JSON: &str = "The body is not said to be JSON, or is said to be compressed.";
const OURS: &str = "Something went wrong on Postrider's side. The message says whether repeating the request is safe.";
const BUSY: &str = "It cannot be done at the moment. The message says whether repeating the request is safe.";
const TOO_LARGE: &str = "The gateway takes no request of more than 10 MB.";
const THROTTLED: &str = "The gateway takes no more requests at the moment.";
const UNREACHED: &str = "The gateway could not reach the function.";

/// Answers that several routes have, by their names.
#[derive(Default)]
pub(crate) struct Refusals(BTreeMap<String, Value>);

impl Refusals {
    /// What a route answers when all is not well, by status.
    pub(crate) fn of(
        &mut self,
        shape: ErrorShape,
        path: &str,
        credential: Credential,
        about: &Operation,
    ) -> Vec<(u16, Value)> {
        let common = common(path, credential, about);
        let of_gateway = of_gateway(about);
        let mut statuses: Vec<u16> = common.iter().map(|(status, ..)| *status).collect();
        statuses.extend(of_gateway.iter().map(|(status, _)| *status));
        statuses.extend(about.refusals.iter().map(|refusal| refusal.status));
        statuses.sort_unstable();
        statuses.dedup();
        let told = |status: u16| {
            let mut codes: Vec<Told> = Vec::new();
            let of_all =
                common.iter().filter(|one| one.0 == status).map(|(_, code, when)| ((*code).into(), (*when).into()));
            codes.extend(of_all);
            let own = about.refusals.iter().filter(|refusal| refusal.status == status);
            // What a route says of a code stands in place of what all say of it.
            for refusal in own.clone() {
                codes.retain(|(code, _)| code != refusal.code || status == 404);
                codes.push((refusal.code.into(), refusal.when.clone()));
            }
            let gateways = of_gateway.iter().find(|one| one.0 == status).map(|(_, when)| *when);
            let answer = answer(shape, status, &codes, gateways);
            if own.count() > 0 {
                return (status, answer);
            }
            let name = name(shape, status, credential, codes.is_empty());
            let known = self.0.entry(name.clone()).or_insert_with(|| answer.clone());
            if *known != answer {
                return (status, answer);
            }
            (status, json!({"$ref": format!("#/components/responses/{name}")}))
        };
        statuses.into_iter().map(told).collect()
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

fn common(path: &str, credential: Credential, about: &Operation) -> Vec<(u16, &'static str, &'static str)> {
    let mut all = vec![(400, "invalid_request", AMISS)];
    match credential {
        Credential::Bearer | Credential::Header => {
            all.extend([
                (401, "unauthorized", NO_KEY),
                (403, "forbidden", NO_SCOPE),
                (403, "tenant_suspended", SUSPENDED),
            ]);
        }
        Credential::Operator => all.extend([(401, "unauthorized", NO_KEY), (403, "forbidden", NOT_THE_OPERATOR)]),
        Credential::Nothing => {}
    }
    if path.contains('{') {
        all.push((404, "not_found", UNKNOWN));
    }
    if about.body.is_some() {
        all.push((415, "unsupported_media_type", NO_JSON));
    }
    all.extend([(500, "internal", OURS), (503, "unavailable", BUSY)]);
    all
}

fn of_gateway(about: &Operation) -> Vec<(u16, &'static str)> {
    let too_large = about.body.as_ref().map(|_| (413, TOO_LARGE));
    too_large.into_iter().chain([(429, THROTTLED), (500, UNREACHED), (503, UNREACHED)]).collect()
}

fn answer(shape: ErrorShape, status: u16, codes: &[Told], gateways: Option<&str>) -> Value {
    let mut lines: Vec<String> = codes.iter().map(|(code, when)| format!("- `{code}`: {when}")).collect();
    lines.extend(gateways.map(|when| format!("- (the gateway) {when}")));
    let names: Vec<&str> = codes.iter().map(|(code, _)| code.as_ref()).collect();
    let ours = (!names.is_empty()).then(|| body(shape, &names));
    let of_gateway = gateways.map(|_| json!({"$ref": "#/components/schemas/GatewayError"}));
    let bodies: Vec<Value> = ours.into_iter().chain(of_gateway).collect();
    let schema = match bodies.as_slice() {
        [one] => one.clone(),
        several => json!({"anyOf": several}),
    };
    let mut headers = json!({"x-request-id": {"$ref": "#/components/headers/RequestId"}});
    if matches!(status, 429 | 503) {
        headers["Retry-After"] = json!({"$ref": "#/components/headers/RetryAfter"});
    }
    json!({
        "description": lines.join("\n"),
        "headers": headers,
        "content": {"application/json": {"schema": schema}},
    })
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
        401 => "Unauthorized",
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

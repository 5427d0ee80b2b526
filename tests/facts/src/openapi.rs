//! The API's document, put together from every function's table of routes: what each route does stands beside it, what all of a
//! kind refuse alike is added here.

mod examples;
mod refusals;

use std::error::Error;

use postrider_api::document::Schemas;
use postrider_api::{Answer, Credential, Operation, Parameter, Routed, SharedAccess};
use serde_json::{Map, Value, json};

use self::refusals::Refusals;

const ABOUT: &str = "Postrider sends webhooks: it takes events and delivers each to every webhook that asks for it, signed, on a \
schedule of retries, with a ledger of every attempt.

Three providers' APIs are served on their own paths, each in its own words and with its own shape of errors: `/api/v1` is Nouvel's, \
`/v1/jobs` NetraFlow's, `/v1/webhooks` Nur's and everybody's.

Whatever a request has that its route does not know is refused: a field, a query parameter. A path that there is not is a 404, a method \
that a path does not take a 405 with `Allow`. Every answer has the request's id in `x-request-id`. What the gateway answers itself (it \
throttles, or the function cannot be reached) has a `message` alone, and its id in `apigw-requestid`.

There may be more fields in an answer one day, and more names where there is a list of them: take what you know.";

/// The document.
pub(crate) fn document() -> Result<Value, Box<dyn Error>> {
    let mut document = Document::default();
    document.add::<webhooks::Webhooks>("Webhooks", "Where events are sent, and what for.")?;
    document.add::<events::Events>("Events", "What is sent.")?;
    document
        .add::<ledger::Ledger>("Deliveries", "What became of each event at each webhook: retry, cancel, recover.")?;
    document
        .add::<jobs::Jobs>("Jobs", "The record that a job exists and how it ended, in two providers' own words.")?;
    document.add::<catalogue::EventTypes>("Event types", "What can be published, and what its `data` has to be.")?;
    document.add::<tenants::Operator>("Tenants and keys", "The operator's side.")?;
    document.add::<reference::Reference>("Reference", "This document, for programs and for people.")?;
    document.written()
}

#[derive(Default)]
struct Document {
    schemas: Schemas,
    refusals: Refusals,
    tags: Vec<Value>,
    paths: Map<String, Value>,
}

impl Document {
    fn add<F: Routed>(&mut self, tag: &str, about: &str) -> Result<(), Box<dyn Error>> {
        self.tags.push(json!({"name": tag, "description": about}));
        for route in F::ROUTES {
            let about = route.about.ok_or("a release build has no descriptions: ask a dev build")?;
            let operation = self.operation(tag, route.path, &about(), &route.access)?;
            let path = self.paths.entry(route.path).or_insert_with(|| json!({}));
            path[route.method.to_lowercase()] = operation;
        }
        Ok(())
    }

    fn operation(
        &mut self,
        tag: &str,
        path: &str,
        about: &Operation,
        access: &impl postrider_api::Access,
    ) -> Result<Value, Box<dyn Error>> {
        let mut operation = json!({"operationId": about.id, "tags": [tag], "summary": about.summary});
        if !about.about.is_empty() {
            operation["description"] = json!(about.about);
        }
        operation["security"] = security(access);
        let parameters = self.parameters(about);
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if let Some(body) = &about.body {
            let schema = self.schemas.of(body.schema);
            operation["requestBody"] =
                json!({"required": body.required, "content": {"application/json": {"schema": schema}}});
        }
        let mut responses: Vec<(u16, Value)> =
            about.answers.iter().map(|answer| (answer.status, self.answer(answer))).collect();
        responses.extend(self.refusals.of(path, access.credential(), about)?);
        responses.sort_by_key(|(status, _)| *status);
        operation["responses"] =
            responses.into_iter().map(|(status, answer)| (status.to_string(), answer)).collect::<Map<_, _>>().into();
        Ok(operation)
    }

    fn parameters(&mut self, about: &Operation) -> Vec<Value> {
        let places = [("path", &about.path), ("query", &about.query), ("header", &about.headers)];
        let all = places.into_iter().flat_map(|(place, all)| all.iter().map(move |one| (place, one)));
        all.map(|(place, one)| {
            let mut parameter = json!({"name": one.name, "in": place, "description": one.about});
            if place == "path" {
                parameter["required"] = true.into();
            }
            parameter["schema"] = self.schemas.of(one.schema);
            parameter
        })
        .collect()
    }

    fn answer(&mut self, answer: &Answer) -> Value {
        let mut headers = json!({"x-request-id": {"$ref": "#/components/headers/RequestId"}});
        for Parameter { name, about, schema } in &answer.headers {
            headers[*name] = json!({"description": about, "schema": self.schemas.of(*schema)});
        }
        let mut told = json!({"description": answer.about, "headers": headers});
        if let Some(schema) = answer.schema {
            told["content"] = json!({answer.media_type: {"schema": self.schemas.of(schema)}});
        }
        told
    }

    fn written(mut self) -> Result<Value, Box<dyn Error>> {
        let responses = self.refusals.named(&mut self.schemas);
        let schemas = Value::Object(self.schemas.named());
        let mut document = json!({
            "openapi": "3.1.1",
            "info": {
                "title": "Postrider",
                "version": env!("CARGO_PKG_VERSION"),
                "summary": "Sends webhooks.",
                "description": ABOUT,
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "servers": [{"url": "/", "description": "Where this document is."}],
            "tags": self.tags,
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "responses": responses,
                "headers": {
                    "RequestId": {
                        "description": "The request's id, by which the operator finds it in the logs.",
                        "schema": {"type": "string", "minLength": 1, "examples": ["KZx1wjQxIAMESPw="]},
                    },
                    "RetryAfter": {
                        "description": "After how many seconds it is worth another try. The gateway's own answers have none.",
                        "schema": {"type": "string", "pattern": "^[0-9]+$", "examples": ["2"]},
                    },
                },
                "securitySchemes": {
                    "key": {
                        "type": "http",
                        "scheme": "bearer",
                        "description": "An API key as `Authorization: Bearer <key>`. The scope that it needs stands beside it.",
                    },
                    "keyInHeader": {
                        "type": "apiKey",
                        "in": "header",
                        "name": "X-Api-Key",
                        "description": "An API key as `X-Api-Key: <key>`. The scope that it needs stands beside it.",
                    },
                    "operator": {
                        "type": "http",
                        "scheme": "bearer",
                        "description": "The operator's admin key, which the stack makes, as `Authorization: Bearer <key>`.",
                    },
                    "session": {
                        "type": "http",
                        "scheme": "bearer",
                        "description": "A visitor's session in the portal, as `Authorization: Bearer <session>`. The capability that it \
                                        needs stands beside it.",
                    },
                },
            },
        });
        examples::add(&mut document)?;
        Ok(document)
    }
}

/// A scope stands where OpenAPI 3.1 has roles that a scheme other than OAuth's asks for.
fn security(access: &impl postrider_api::Access) -> Value {
    let mut ways = match access.credential() {
        Credential::Bearer => vec![json!({"key": [access.scope()]})],
        Credential::Header => vec![json!({"keyInHeader": [access.scope()]}), json!({"key": [access.scope()]})],
        Credential::Operator => vec![json!({"operator": []})],
        Credential::BearerOrOperator if access.scope() == SharedAccess::ANY => {
            vec![json!({"key": []}), json!({"operator": []})]
        }
        Credential::BearerOrOperator => vec![json!({"key": [access.scope()]}), json!({"operator": []})],
        Credential::Session | Credential::Nothing => Vec::new(),
    };
    ways.extend(access.sessions().capability().map(|capability| json!({"session": [capability.as_str()]})));
    ways.into()
}

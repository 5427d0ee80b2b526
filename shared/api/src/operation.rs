//! What a route does, as its callers read it.

use std::borrow::Cow;

use postrider_domain::catalogue;
use postrider_domain::event::OwnType;
use postrider_domain::schema::Fault;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::document::{CursorText, IdempotencyKey, Limit, SchemaOf};
use crate::{ApiError, used_before};

/// Describes a route. A function, so that the table of routes stays a constant.
pub type About = fn() -> Operation;

/// A method of a path, for whoever calls it.
#[derive(Debug)]
pub struct Operation {
    /// Its name in generated clients, which no other operation has.
    pub id: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What else there is to know.
    pub about: Cow<'static, str>,
    /// What stands in the path's `{…}`, in order.
    pub path: Vec<Parameter>,
    /// Query parameters.
    pub query: Vec<Parameter>,
    /// Headers beside those of every request.
    pub headers: Vec<Parameter>,
    /// What it is sent.
    pub body: Option<Body>,
    /// What it answers when all is well.
    pub answers: Vec<Answer>,
    /// What it refuses beside what every route of its kind does.
    pub refusals: Vec<Refusal>,
}

/// A part of a path or a query, or a header.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub about: Cow<'static, str>,
    /// What it may be.
    pub schema: SchemaOf,
}

/// A request's body.
#[derive(Debug)]
pub struct Body {
    /// What it may be.
    pub schema: SchemaOf,
    /// Whether there must be one.
    pub required: bool,
}

/// An answer when all is well.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// When it is given, and what it says.
    pub about: Cow<'static, str>,
    /// Its body, if it has one.
    pub schema: Option<SchemaOf>,
    /// What that body is.
    pub media_type: &'static str,
    /// Its headers beside those of every answer.
    pub headers: Vec<Parameter>,
}

/// An error of the route's own.
#[derive(Debug)]
pub struct Refusal {
    /// The error, as it may be answered.
    pub error: ApiError,
    /// When it is given.
    pub when: Cow<'static, str>,
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Operation {
    /// An operation that takes nothing and answers nothing yet.
    pub fn new(id: &'static str, summary: &'static str, about: impl Into<Cow<'static, str>>) -> Self {
        Self {
            id,
            summary,
            about: about.into(),
            path: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            answers: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// With the next variable of its path.
    #[must_use]
    pub fn of<T: JsonSchema>(mut self, name: &'static str, about: &'static str) -> Self {
        self.path.push(Parameter::new::<T>(name, about));
        self
    }

    /// With a query parameter.
    #[must_use]
    pub fn query<T: JsonSchema>(mut self, name: &'static str, about: impl Into<Cow<'static, str>>) -> Self {
        self.query.push(Parameter::new::<T>(name, about));
        self
    }

    /// With `limit` and `cursor`; what is said of `limit` is what there is without it.
    #[must_use]
    pub fn paged(self, without: &'static str) -> Self {
        let limit =
            format!("How many entries a page has at the most. A page may have fewer, and more follow. {without}");
        let cursor = "Where the page begins: `next_cursor` of the page before it.";
        self.query::<Limit>("limit", limit).query::<CursorText>("cursor", cursor)
    }

    /// With a header.
    #[must_use]
    pub fn header<T: JsonSchema>(mut self, name: &'static str, about: &'static str) -> Self {
        self.headers.push(Parameter::new::<T>(name, about));
        self
    }

    /// With the header `Idempotency-Key`.
    #[must_use]
    pub fn idempotent(self, about: &'static str) -> Self {
        self.header::<IdempotencyKey>("Idempotency-Key", about)
    }

    /// With the header `Idempotency-Key`, as every call takes it that makes something and is remembered with its answer.
    #[must_use]
    pub fn repeatable(self) -> Self {
        let about = "What the caller calls this call: for 48 hours the same again with the same body is answered the same, with whatever \
                     is shown this once, and makes nothing more.";
        self.idempotent(about).refuses(used_before(), "The key was used before, for a call with another body.")
    }

    /// Held to the catalogue, as every call is that says what an event is.
    #[must_use]
    pub fn catalogued(self) -> Self {
        let fault = Fault { path: "/amount".to_owned(), message: "expected integer".to_owned() };
        let unfit = catalogue::Refusal::UnfitData(OwnType::JobCompleted.into(), vec![fault]);
        let about =
            "The type's schema does not take `data`; or the deployment's types are closed, and this is none of them.";
        self.refuses(unfit, about)
    }

    /// With a body that must be there.
    #[must_use]
    pub fn takes<T: JsonSchema>(self) -> Self {
        Self { body: Some(Body { schema: schema_of::<T>, required: true }), ..self }
    }

    /// With a body that may be left out.
    #[must_use]
    pub fn may_take<T: JsonSchema>(self) -> Self {
        Self { body: Some(Body { schema: schema_of::<T>, required: false }), ..self }
    }

    /// With an answer.
    #[must_use]
    pub fn answers<T: JsonSchema>(mut self, status: u16, about: impl Into<Cow<'static, str>>) -> Self {
        let (schema, media_type): (SchemaOf, _) = (schema_of::<T>, "application/json");
        self.answers.push(Answer {
            status,
            about: about.into(),
            schema: Some(schema),
            media_type,
            headers: Vec::new(),
        });
        self
    }

    /// With a page for people as its answer.
    #[must_use]
    pub fn shows(self, status: u16, about: impl Into<Cow<'static, str>>) -> Self {
        let mut shown = self.answers::<String>(status, about);
        if let Some(answer) = shown.answers.last_mut() {
            answer.media_type = "text/html";
        }
        shown
    }

    /// With an answer that has no body.
    #[must_use]
    pub fn answers_nothing(mut self, status: u16, about: impl Into<Cow<'static, str>>) -> Self {
        let media_type = "application/json";
        self.answers.push(Answer { status, about: about.into(), schema: None, media_type, headers: Vec::new() });
        self
    }

    /// With a header of the answer that was named last.
    #[must_use]
    pub fn with_header<T: JsonSchema>(mut self, name: &'static str, about: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.push(Parameter::new::<T>(name, about));
        }
        self
    }

    /// With an error of its own, such as it may answer.
    #[must_use]
    pub fn refuses(mut self, error: impl Into<ApiError>, when: impl Into<Cow<'static, str>>) -> Self {
        self.refusals.push(Refusal { error: error.into(), when: when.into() });
        self
    }
}

impl Parameter {
    /// A parameter of this type.
    pub fn new<T: JsonSchema>(name: &'static str, about: impl Into<Cow<'static, str>>) -> Self {
        Self { name, about: about.into(), schema: schema_of::<T> }
    }
}

//! The routes.

use futures::stream::{self, StreamExt as _};
use postrider_api::{
    ApiError, Call, Calls, Cursor, Paging, Request, Response, Route, Routed, SharedAccess, SharedCaller,
    SharedCredentials, ShownPage,
};
use postrider_aws::admin_key::AdminKey;
use postrider_aws::config_table::{ConfigTable, Kept, Made};
use postrider_aws::keyring::Keyring;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::{Failure, Page};
use postrider_domain::catalogue::{About, BuiltIn, CataloguedType, Refusal, check_name, openapi};
use postrider_domain::event::{EventType, MAX_TYPE_CHARS};
use postrider_domain::invalid::Invalid;
use postrider_domain::key::Scope;
use postrider_domain::schema::DRAFT;
use postrider_host::env::BadSetting;
use postrider_host::{clock, deadline};
use serde_json::value::RawValue;

use crate::bounds::MAX_DOCUMENT_BYTES;
use crate::input::{self, Change};
use crate::refusals::{full, no_room, not_ours_to_change, overtaken, taken};
use crate::{operations, view};

#[cfg(test)]
mod tests;

/// How often a change is tried that others overtake.
const TRIES: usize = 4;
/// Types of a document that are kept at once.
const TYPES_AT_ONCE: usize = 8;
const WRITE: SharedAccess = SharedAccess::Write(Scope::EventTypesWrite);
const A_NAME: &str = "an event type such as `invoice.paid`";
const CREATE: &str = "POST /v1/event-types";
/// In whose words OpenAPI 3.1 documents have their schemas, where they say nothing.
const OPENAPI_DIALECT: &str = "https://spec.openapis.org/oas/3.1/dialect/";

/// What the routes need.
pub struct EventTypes {
    credentials: SharedCredentials,
    config: ConfigTable,
    keyring: Keyring,
}

impl Routed for EventTypes {
    type Access = SharedAccess;
    type Caller = SharedCaller;

    const ROUTES: &'static [Route<Self>] = &[
        Route::get("/v1/event-types", SharedAccess::Read, operations::list, |it, request, _, _| {
            Box::pin(it.list(request))
        }),
        Route::post(
            "/v1/event-types",
            WRITE,
            operations::create,
            |it, request, caller, _| Box::pin(it.create(request, caller)),
            "look at GET /v1/event-types/{name} before you repeat it",
        ),
        Route::post(
            "/v1/event-types/import",
            WRITE,
            operations::import,
            |it, request, _, _| Box::pin(it.import(request)),
            "repeat it: what is as the document has it already stays",
        ),
        Route::get("/v1/event-types/{name}", SharedAccess::Read, operations::get, |it, request, _, [name, _]| {
            Box::pin(it.get(request, name))
        }),
        Route::patch("/v1/event-types/{name}", WRITE, operations::change, |it, request, _, [name, _]| {
            Box::pin(it.change(request, name))
        }),
        Route::delete("/v1/event-types/{name}", WRITE, operations::delete, |it, request, _, [name, _]| {
            Box::pin(it.delete(request, name))
        }),
    ];

    async fn admit(&self, request: &Request, access: &SharedAccess) -> Result<SharedCaller, ApiError> {
        self.credentials.admit(request, access).await
    }
}

/// A type as it is listed.
enum Listed {
    Kept(Box<CataloguedType>),
    BuiltIn(&'static BuiltIn),
}

/// What became of a type of a document.
enum Taken {
    Created,
    Updated,
    Unchanged,
}

impl EventTypes {
    /// From the settings that the template gives it.
    ///
    /// # Errors
    /// When one is missing or makes no sense.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        let (config, keyring) = (ConfigTable::from_env(sdk)?, Keyring::from_env(sdk)?);
        let credentials = SharedCredentials::new(config.clone(), AdminKey::unnoted_from_env(sdk)?);
        Ok(Self { credentials, config, keyring })
    }

    async fn list(&self, request: &Request) -> Result<Response, ApiError> {
        request.only_query(&["prefix", "deprecated", "limit", "cursor"])?;
        let beginning = request.query("prefix")?.unwrap_or_default();
        if beginning.len() > MAX_TYPE_CHARS {
            return Err(Invalid::new("prefix", format!("at most {MAX_TYPE_CHARS} characters")).into());
        }
        let with_deprecated = match request.query("deprecated")? {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(Invalid::new("deprecated", "`true` or `false`").into()),
        };
        let paging: Paging<EventType> = Paging::of(request)?;
        let Paging { limit, after } = paging.within(|after| after.as_str().starts_with(beginning))?;
        let found = self.config.catalogued_types(beginning, limit, after.as_ref()).await?;
        let page = with_built_in(found, beginning, limit, after.as_ref());
        let page = ShownPage::of(
            &page,
            |(name, _)| name,
            |(_, one)| match one {
                Listed::Kept(one) if one.deprecated && !with_deprecated => None,
                Listed::Kept(one) => Some(view::event_type(one)),
                Listed::BuiltIn(one) => Some(view::built_in(one)),
            },
        );
        let pagination = Cursor::pagination(page.next.as_deref());
        Ok(Response::json(200, &view::EventTypes { event_types: page.rows, pagination }))
    }

    async fn get(&self, request: &Request, name: &str) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let name = named(name)?;
        if let Some(one) = BuiltIn::named(&name) {
            return Ok(Response::json(200, &view::built_in(one)));
        }
        Ok(Response::json(200, &view::event_type(&self.there(&name).await?)))
    }

    async fn create(&self, request: &Request, caller: &SharedCaller) -> Result<Response, ApiError> {
        let call = Calls::new(&self.config, &self.keyring).of(request, caller.called_by(), (CREATE, &[]), "")?;
        call.once(async |call| self.make(request, call).await).await
    }

    async fn make(&self, request: &Request, call: &Call<'_>) -> Result<(Response, Made), ApiError> {
        let mut fields = request.fields()?;
        let name: String = fields.require("name", A_NAME)?;
        let name = check_name(&name)?;
        let about = input::about(fields)?;
        for _ in 0..TRIES {
            let before = self.config.catalogued_type(&name).await?;
            if before.as_ref().is_some_and(CataloguedType::is_there) {
                return Err(taken());
            }
            let now = clock::now();
            let new = CataloguedType::new(name.clone(), about.clone(), before.as_ref(), now);
            let response = Response::json(201, &view::event_type(&new));
            let answered = call.answered(&response, now).await?;
            match self.config.make_catalogued(&new, before.as_ref(), answered.as_ref()).await? {
                Kept::Yes => return Ok((response, Made::Now)),
                Kept::Full => return Err(full()),
                Kept::Overtaken => {}
            }
        }
        Err(overtaken())
    }

    async fn change(&self, request: &Request, name: &str) -> Result<Response, ApiError> {
        let name = ours_to_change(name)?;
        let change = Change::read(request.fields()?)?;
        for _ in 0..TRIES {
            let before = self.there(&name).await?;
            let about = change.of(before.about())?;
            if about == before.about() {
                return Ok(Response::json(200, &view::event_type(&before)));
            }
            let now = before.changed(about, clock::now());
            if self.config.keep_catalogued(&now, Some(&before)).await? == Kept::Yes {
                return Ok(Response::json(200, &view::event_type(&now)));
            }
        }
        Err(overtaken())
    }

    async fn delete(&self, request: &Request, name: &str) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let name = ours_to_change(name)?;
        for _ in 0..TRIES {
            let before = self.there(&name).await?;
            if self.config.keep_catalogued(&before.deleted(clock::now()), Some(&before)).await? == Kept::Yes {
                return Ok(Response::no_content());
            }
        }
        Err(overtaken())
    }

    /// Takes a document's webhooks one by one. Whoever dies in between, or whose time is over, has taken some of them: those are
    /// unchanged when it comes again.
    async fn import(&self, request: &Request) -> Result<Response, ApiError> {
        if request.body_bytes() > MAX_DOCUMENT_BYTES {
            return Err(ApiError::too_large("body", MAX_DOCUMENT_BYTES));
        }
        let mut fields = request.fields()?;
        let version: String = fields.require("openapi", "a version of OpenAPI 3.1, such as `3.1.1`")?;
        if !version.starts_with("3.1.") {
            return Err(Invalid::new("openapi", "a version of OpenAPI 3.1, whose schemas are of draft 2020-12").into());
        }
        let dialect: Option<String> = fields.take_value("jsonSchemaDialect", "a URI")?;
        if dialect.is_some_and(|dialect| dialect != DRAFT && !dialect.starts_with(OPENAPI_DIALECT)) {
            return Err(Invalid::new("jsonSchemaDialect", format!("`{DRAFT}`, or none")).into());
        }
        let webhooks: Box<RawValue> = fields.require("webhooks", "an object of webhooks by their names")?;
        let components: Option<Box<RawValue>> = fields.take_value("components", "an object")?;
        let read = openapi::read(webhooks.get(), components.as_ref().map(|components| components.get()))?;
        let each = read.into_iter().map(|(name, told)| async move {
            let taken = match told {
                // Apart: what is told of one does not depend on the others' writes.
                Ok((event_type, about)) => deadline::apart(self.take_over(&event_type, about)).await,
                Err(refusal) => Ok(Err(refusal)),
            };
            (name, taken)
        });
        let all: Vec<_> = stream::iter(each).buffered(TYPES_AT_ONCE).collect().await;
        let mut imported = view::Imported::default();
        for (name, taken) in all {
            // We failed at this one. Repeating takes what is left.
            let taken = taken.map_err(|failure| ApiError::from(failure).safe_to_repeat())?;
            match (taken, name.parse::<EventType>()) {
                (Ok(Taken::Created), Ok(name)) => imported.created.push(name),
                (Ok(Taken::Updated), Ok(name)) => imported.updated.push(name),
                (Ok(Taken::Unchanged), Ok(name)) => imported.unchanged.push(name),
                (Ok(_), Err(invalid)) => imported.errors.push(view::NotImported::new(&name, &invalid.into())),
                (Err(refusal), _) => imported.errors.push(view::NotImported::new(&name, &refusal)),
            }
        }
        Ok(Response::json(200, &imported))
    }

    /// Makes a type what a document says of it.
    async fn take_over(&self, name: &EventType, about: About) -> Result<Result<Taken, Refusal>, Failure> {
        for _ in 0..TRIES {
            let before = self.config.catalogued_type(name).await?;
            let (new, taken) = match &before {
                Some(before) if before.is_there() && before.about().says_what(&about) => {
                    return Ok(Ok(Taken::Unchanged));
                }
                Some(before) if before.is_there() => (before.changed(about.clone(), clock::now()), Taken::Updated),
                before => {
                    let new = CataloguedType::new(name.clone(), about.clone(), before.as_ref(), clock::now());
                    (new, Taken::Created)
                }
            };
            match self.config.keep_catalogued(&new, before.as_ref()).await? {
                Kept::Yes => return Ok(Ok(taken)),
                Kept::Full => return Ok(Err(no_room().into())),
                Kept::Overtaken => {}
            }
        }
        Err(Failure::Overtaken("an event type"))
    }

    async fn there(&self, name: &EventType) -> Result<CataloguedType, ApiError> {
        let found = self.config.catalogued_type(name).await?;
        found.filter(CataloguedType::is_there).ok_or_else(not_found)
    }
}

/// A page of what is kept with what comes with Postrider in between, by names; as long as a page may be.
fn with_built_in(
    found: Page<CataloguedType, EventType>,
    beginning: &str,
    limit: i32,
    after: Option<&EventType>,
) -> Page<(EventType, Listed), EventType> {
    let is_within = |name: &EventType| {
        name.as_str().starts_with(beginning)
            && after.is_none_or(|after| name > after)
            && found.next.as_ref().is_none_or(|last| name <= last)
    };
    let own = BuiltIn::all().map(|one| (EventType::from(one.own), Listed::BuiltIn(one)));
    let mut rows: Vec<_> = own.filter(|(name, _)| is_within(name)).collect();
    rows.extend(found.rows.into_iter().map(|one| (one.name.clone(), Listed::Kept(Box::new(one)))));
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    let limit = usize::try_from(limit).unwrap_or_default();
    let next = if rows.len() > limit {
        rows.truncate(limit);
        rows.last().map(|(name, _)| name.clone())
    } else {
        found.next
    };
    Page { rows, next }
}

fn named(name: &str) -> Result<EventType, ApiError> {
    name.parse().map_err(|_| not_found())
}

/// The type of this name, which has to be the deployment's.
fn ours_to_change(name: &str) -> Result<EventType, ApiError> {
    let name = named(name)?;
    if BuiltIn::named(&name).is_some() { Err(not_ours_to_change()) } else { Ok(name) }
}

fn not_found() -> ApiError {
    ApiError::not_found("event type")
}

//! What an HTTP function serves: one table, of which every route's method, path, access and handler come, its 404 and 405, and
//! what the log calls it.

use futures::future::LocalBoxFuture;
use postrider_domain::key::Scope;
use postrider_domain::portal::{Capability, Session};

use crate::{About, ApiError, Request, Response};

/// As many variables as a path has at the most.
pub const VARIABLES: usize = 2;

/// Answers one route's requests. The strings are the path's variables, in order; empty where it has fewer.
pub type Handler<F> = for<'a> fn(
    &'a F,
    &'a Request,
    &'a <F as Routed>::Caller,
    [&'a str; VARIABLES],
) -> LocalBoxFuture<'a, Result<Response, ApiError>>;

/// A function with routes.
pub trait Routed: Sized + 'static {
    /// What a route asks of whoever calls it.
    type Access: Access;
    /// Who was let in.
    type Caller;

    /// All of them. Of two paths that fit a request, the first one counts.
    const ROUTES: &'static [Route<Self>];

    /// Lets a request's caller in.
    ///
    /// # Errors
    /// 401 for no key or a bad one, 403 where it may not do this.
    fn admit(&self, request: &Request, access: &Self::Access) -> impl Future<Output = Result<Self::Caller, ApiError>>;

    /// Lets a caller in who asks for no route: whether he is told that there is none.
    ///
    /// # Errors
    /// Where nobody but those who may use the function's routes is told which there are.
    fn admit_astray(&self, _: &Request) -> impl Future<Output = Result<(), ApiError>> {
        std::future::ready(Ok(()))
    }
}

/// What a route asks of whoever calls it.
pub trait Access: 'static {
    /// The scope that the caller's key needs, by its name; `operator` for the admin key.
    fn scope(&self) -> &'static str;

    /// How the caller sends his key.
    fn credential(&self) -> Credential;

    /// Which sessions in the portal it lets in.
    fn sessions(&self) -> Sessions;
}

/// Which sessions in the portal a route lets in. Each route says so: a scope alone does not tell what a visitor may do, since
/// `webhooks:write` is for whoever edits a webhook, tests it, or takes its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// None.
    Never,
    /// Those with this capability. What they see and do is held to the webhooks that they are for, by the route itself.
    With(Capability),
    /// Those of them that are for all of their tenant's webhooks: what the route is about is no webhook that there is.
    ForAllWith(Capability),
}

impl Sessions {
    /// Lets a session in.
    ///
    /// # Errors
    /// 403 where it is not let in, saying why.
    pub fn admit(self, session: &Session) -> Result<(), ApiError> {
        let (capability, is_for_all) = match self {
            Self::Never => {
                return Err(ApiError::forbidden(
                    "this is not for a visitor of the portal: it takes an API key, and no session",
                ));
            }
            Self::With(capability) => (capability, false),
            Self::ForAllWith(capability) => (capability, true),
        };
        if !session.capabilities.has(capability) {
            return Err(ApiError::forbidden(format!("this session lacks the capability `{}`", capability.as_str())));
        }
        if is_for_all && session.reach.only().is_some() {
            return Err(ApiError::forbidden(
                "this session is for some of the tenant's webhooks alone, and for nothing beside them",
            ));
        }
        Ok(())
    }

    /// The capability that it asks for.
    pub fn capability(self) -> Option<Capability> {
        match self {
            Self::Never => None,
            Self::With(capability) | Self::ForAllWith(capability) => Some(capability),
        }
    }
}

/// How a caller says who he is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// By an API key, as `Authorization: Bearer`.
    Bearer,
    /// By an API key, as `X-Api-Key` or as a bearer's.
    Header,
    /// By the operator's admin key, as `Authorization: Bearer`.
    Operator,
    /// By either, as `Authorization: Bearer`.
    BearerOrOperator,
    /// By a session in the portal, as `Authorization: Bearer`.
    Session,
    /// Not at all.
    Nothing,
}

/// Asks for an API key with a scope, or for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAccess {
    /// As `Authorization: Bearer`.
    Bearer(Scope, Sessions),
    /// As `X-Api-Key`; a bearer's is taken too.
    Header(Scope, Sessions),
}

impl Access for KeyAccess {
    fn scope(&self) -> &'static str {
        match self {
            Self::Bearer(scope, _) | Self::Header(scope, _) => scope.as_str(),
        }
    }

    fn credential(&self) -> Credential {
        match self {
            Self::Bearer(..) => Credential::Bearer,
            Self::Header(..) => Credential::Header,
        }
    }

    fn sessions(&self) -> Sessions {
        match self {
            Self::Bearer(_, sessions) | Self::Header(_, sessions) => *sessions,
        }
    }
}

/// Asks for the operator's admin key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperatorAccess;

impl Access for OperatorAccess {
    fn scope(&self) -> &'static str {
        "operator"
    }

    fn credential(&self) -> Credential {
        Credential::Operator
    }

    fn sessions(&self) -> Sessions {
        Sessions::Never
    }
}

/// Asks for what all tenants share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedAccess {
    /// To see it: any key or session will do, the operator's too.
    Read,
    /// To change it: the operator's key, or one of the provider's with this scope.
    Write(Scope),
}

impl SharedAccess {
    /// What stands for a scope where any key will do.
    pub const ANY: &str = "any";
}

impl Access for SharedAccess {
    fn scope(&self) -> &'static str {
        match self {
            Self::Read => Self::ANY,
            Self::Write(scope) => scope.as_str(),
        }
    }

    fn credential(&self) -> Credential {
        Credential::BearerOrOperator
    }

    fn sessions(&self) -> Sessions {
        match self {
            Self::Read => Sessions::With(Capability::View),
            Self::Write(_) => Sessions::Never,
        }
    }
}

/// Asks for nothing: everybody may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnybodyAccess;

impl Access for AnybodyAccess {
    fn scope(&self) -> &'static str {
        "none"
    }

    fn credential(&self) -> Credential {
        Credential::Nothing
    }

    fn sessions(&self) -> Sessions {
        Sessions::Never
    }
}

/// A method of a path.
pub struct Route<F: Routed> {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// As the template has it, such as `/v1/webhooks/{id}`.
    pub path: &'static str,
    /// What it asks of its caller.
    pub access: F::Access,
    /// What it does, for the API's document. Dev builds alone have it: what is deployed serves the document as it was written down,
    /// and would carry every schema for nothing.
    pub about: Option<About>,
    pub(crate) handler: Handler<F>,
    /// What a caller is told to do whose request may have been carried out, though he is answered 5xx; nothing where he may
    /// simply repeat it.
    pub instead_of_repeating: Option<&'static str>,
}

impl<F: Routed> Route<F> {
    /// A route that only shows.
    pub const fn get(path: &'static str, access: F::Access, about: About, handler: Handler<F>) -> Self {
        Self::new("GET", path, access, about, handler)
    }

    /// A route that changes a thing to what the request says.
    pub const fn patch(path: &'static str, access: F::Access, about: About, handler: Handler<F>) -> Self {
        Self::new("PATCH", path, access, about, handler)
    }

    /// A route that makes a thing what the request says, and makes it where there is none.
    pub const fn put(path: &'static str, access: F::Access, about: About, handler: Handler<F>) -> Self {
        Self::new("PUT", path, access, about, handler)
    }

    /// A route that takes a thing away.
    pub const fn delete(path: &'static str, access: F::Access, about: About, handler: Handler<F>) -> Self {
        Self::new("DELETE", path, access, about, handler)
    }

    /// A route that may do more when it is asked again. A caller who is answered 5xx hears that his request may have been
    /// carried out all the same, and what to do instead of repeating it.
    pub const fn post(
        path: &'static str,
        access: F::Access,
        about: About,
        handler: Handler<F>,
        instead_of_repeating: &'static str,
    ) -> Self {
        let about = if cfg!(debug_assertions) { Some(about) } else { None };
        Self { method: "POST", path, access, about, handler, instead_of_repeating: Some(instead_of_repeating) }
    }

    const fn new(
        method: &'static str,
        path: &'static str,
        access: F::Access,
        about: About,
        handler: Handler<F>,
    ) -> Self {
        let about = if cfg!(debug_assertions) { Some(about) } else { None };
        Self { method, path, access, about, handler, instead_of_repeating: None }
    }
}

/// A request that no route is for.
#[derive(Debug)]
pub(crate) struct Astray {
    /// The path as the template has it, if it is one.
    pub(crate) path: Option<&'static str>,
    /// 404 when it is none, 405 when it does not take the method.
    pub(crate) error: ApiError,
}

/// The route of a request, and its path's variables.
///
/// # Errors
/// [`Astray`].
pub(crate) fn find<F: Routed>(request: &Request) -> Result<(&'static Route<F>, [&str; VARIABLES]), Astray> {
    let mut fitting = F::ROUTES.iter().filter_map(|route| Some((route, variables(route.path, &request.segments)?)));
    let (first, values) = fitting.next().ok_or_else(|| Astray { path: None, error: ApiError::not_found("path") })?;
    let of_path = || F::ROUTES.iter().filter(|route| route.path == first.path);
    match of_path().find(|route| route.method == request.method) {
        Some(route) => Ok((route, values)),
        None => {
            let allowed: Vec<_> = of_path().map(|route| route.method).collect();
            Err(Astray { path: Some(first.path), error: ApiError::method_not_allowed(&allowed) })
        }
    }
}

/// What stands in a path's `{…}`, where the request's path fits it. An empty segment fits none: `/v1//webhooks` is not
/// `/v1/webhooks`, nor is `/v1/webhooks/`.
fn variables<'a>(path: &str, segments: &'a [String]) -> Option<[&'a str; VARIABLES]> {
    let (mut values, mut found) = ([""; VARIABLES], 0);
    let mut segments = segments.iter();
    for expected in path.trim_start_matches('/').split('/') {
        let segment = segments.next().filter(|segment| !segment.is_empty())?;
        if expected.starts_with('{') {
            *values.get_mut(found)? = segment;
            found += 1;
        } else if expected != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Operation;

    struct Things;

    fn nothing() -> Operation {
        Operation::new("nothing", "Nothing", "")
    }

    impl Routed for Things {
        type Access = OperatorAccess;
        type Caller = ();

        const ROUTES: &'static [Route<Self>] = &[
            Route::get("/v1/things", OperatorAccess, nothing, |_, _, (), _| {
                Box::pin(async { Ok(Response::no_content()) })
            }),
            Route::post(
                "/v1/things/new",
                OperatorAccess,
                nothing,
                |_, _, (), _| Box::pin(async { Ok(Response::no_content()) }),
                "look",
            ),
            Route::get("/v1/things/{id}", OperatorAccess, nothing, |_, _, (), _| {
                Box::pin(async { Ok(Response::no_content()) })
            }),
            Route::delete("/v1/things/{id}", OperatorAccess, nothing, |_, _, (), _| {
                Box::pin(async { Ok(Response::no_content()) })
            }),
            Route::get("/v1/things/{id}/parts/{part}", OperatorAccess, nothing, |_, _, (), _| {
                Box::pin(async { Ok(Response::no_content()) })
            }),
        ];

        async fn admit(&self, _: &Request, _: &OperatorAccess) -> Result<(), ApiError> {
            Ok(())
        }
    }

    type Found = (&'static str, [String; VARIABLES]);
    /// The status, and what would be allowed.
    type Refused = (u16, Option<String>);

    fn found(method: &str, path: &str) -> Result<Found, Refused> {
        let event = format!(r#"{{"rawPath":"{path}","requestContext":{{"http":{{"method":"{method}"}}}}}}"#);
        let request = Request::read(&event, "1").unwrap();
        let (route, values) = find::<Things>(&request)
            .map_err(|Astray { error, .. }| (error.status(), error.allow().map(str::to_owned)))?;
        Ok((route.path, values.map(str::to_owned)))
    }

    #[test]
    fn a_request_finds_its_route_and_what_stands_in_its_path() {
        let values = |one: &str, other: &str| [one.to_owned(), other.to_owned()];
        assert_eq!(found("GET", "/v1/things"), Ok(("/v1/things", values("", ""))));
        assert_eq!(found("DELETE", "/v1/things/7"), Ok(("/v1/things/{id}", values("7", ""))));
        assert_eq!(found("GET", "/v1/things/7/parts/8"), Ok(("/v1/things/{id}/parts/{part}", values("7", "8"))));
        assert_eq!(found("POST", "/v1/things/new"), Ok(("/v1/things/new", values("", ""))));
    }

    #[test]
    fn another_method_hears_which_there_are_and_the_first_path_that_fits_counts() {
        let not_allowed = |allow: &str| Err((405, Some(allow.to_owned())));
        assert_eq!(found("POST", "/v1/things/7"), not_allowed("GET, DELETE"));
        assert_eq!(found("GET", "/v1/things/new"), not_allowed("POST"));
    }

    #[test]
    fn a_path_that_nobody_has_is_told_so() {
        for path in [
            "/",
            "/v1",
            "/v1/things/",
            "/v1//things",
            "/v1/things/7/parts",
            "/v1/things//parts/8",
            "/v1/Things",
            "/v1/things/7/parts/8/9",
        ] {
            assert_eq!(found("GET", path), Err((404, None)), "{path}");
        }
    }

    #[test]
    fn only_what_changes_nothing_twice_may_simply_be_repeated() {
        for route in Things::ROUTES {
            assert_eq!(route.instead_of_repeating.is_some(), route.method == "POST", "{}", route.path);
        }
        let changed = Route::<Things>::patch("/", OperatorAccess, nothing, |_, _, (), _| {
            Box::pin(async { Ok(Response::no_content()) })
        });
        assert_eq!((changed.method, changed.instead_of_repeating), ("PATCH", None));
    }
}

//! A function's routes, in one table: what a path and a method lead to, and which key they take.

use postrider_domain::key::Scope;

use super::{Fault, Request};

/// The methods in the order in which a 405 names them.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Whose key a route takes, and where it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The operator's, in `Authorization: Bearer`.
    Operator,
    /// One with this scope, in `Authorization: Bearer`.
    Bearer(Scope),
    /// One with this scope, in `X-Api-Key`; a bearer's is taken too.
    Header(Scope),
}

/// A route. `T` is the function's own name for what it does there.
#[derive(Debug)]
pub struct Route<T> {
    /// Such as `GET`.
    pub method: &'static str,
    /// As API Gateway writes it: `/v1/webhooks/{id}`.
    pub path: &'static str,
    /// Who may call.
    pub credential: Credential,
    /// What is done.
    pub to: T,
}

impl<T> Route<T> {
    /// A route in one line of a table.
    pub const fn new(method: &'static str, path: &'static str, credential: Credential, to: T) -> Self {
        Self { method, path, credential, to }
    }

    fn segments(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').skip(1)
    }

    /// Whether a path is this route's, and how many of its segments are to the letter.
    fn literals(&self, path: &[String]) -> Option<usize> {
        let mut literals = 0;
        if self.segments().count() != path.len() {
            return None;
        }
        for (own, given) in self.segments().zip(path) {
            match own == given {
                true => literals += 1,
                false if parameter(own).is_some() && !given.is_empty() => {}
                false => return None,
            }
        }
        Some(literals)
    }
}

fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// Finds the route of a request.
///
/// An empty segment is no id, so `/v1//webhooks` is nobody's path, nor is `/v1/webhooks/`. Where two paths fit, such as
/// `/v1/webhooks/create` and `/v1/webhooks/{id}`, the more literal one is meant, as in API Gateway.
///
/// # Errors
/// 404 for a path that is in no route, 405 with what it takes for a method that it does not.
pub(super) fn find<T>(routes: &'static [Route<T>], request: &Request) -> Result<&'static Route<T>, Fault> {
    let fitting = || routes.iter().filter_map(|route| Some((route.literals(&request.segments)?, route)));
    let most = fitting().map(|(literals, _)| literals).max().ok_or_else(|| Fault::not_found("path"))?;
    let of_path = || fitting().filter(|(literals, _)| *literals == most).map(|(_, route)| route);
    of_path().find(|route| route.method == request.method).ok_or_else(|| {
        let taken = METHODS.into_iter().filter(|method| of_path().any(|route| route.method == *method));
        Fault::method_not_allowed(&taken.collect::<Vec<_>>())
    })
}

/// A request, and the route that it takes.
#[derive(Debug)]
pub struct Call<T: 'static> {
    /// What was asked.
    pub request: Request,
    /// Where.
    pub route: &'static Route<T>,
}

impl<T> Call<T> {
    /// What stands in the path in the place of `{name}`; nothing, which is nobody's id, where the route has no such place.
    pub fn id(&self, name: &str) -> &str {
        let place = self.route.segments().position(|segment| parameter(segment) == Some(name));
        place.and_then(|place| self.request.segments.get(place)).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Credential = Credential::Operator;
    static ROUTES: [Route<u8>; 5] = [
        Route::new("DELETE", "/v1/things/{id}", ANY, 0),
        Route::new("GET", "/v1/things/{id}", ANY, 1),
        Route::new("POST", "/v1/things/create", ANY, 2),
        Route::new("GET", "/v1/things", ANY, 3),
        Route::new("GET", "/v1/things/{id}/parts/{part}", ANY, 4),
    ];

    fn call(method: &str, path: &str) -> Result<Call<u8>, Fault> {
        let event = format!(r#"{{"rawPath":"{path}","requestContext":{{"http":{{"method":"{method}"}}}}}}"#);
        let request = Request::read(&event, "1").unwrap();
        find(&ROUTES, &request).map(|route| Call { request, route })
    }

    #[test]
    fn a_path_and_a_method_lead_to_one_route() {
        for (method, path, to) in
            [("GET", "/v1/things", 3), ("GET", "/v1/things/a", 1), ("POST", "/v1/things/create", 2)]
        {
            assert_eq!(call(method, path).unwrap().route.to, to);
        }
        let found = call("GET", "/v1/things/a/parts/b").unwrap();
        assert_eq!((found.id("id"), found.id("part"), found.id("thing")), ("a", "b", ""));
    }

    #[test]
    fn a_path_that_is_no_routes_is_not_found() {
        for path in
            ["/", "/v1", "/v1/things/", "/v1//things", "/v1/things/a/parts/", "/v1/things//parts/b", "/v1/things/a/b"]
        {
            assert_eq!(call("GET", path).unwrap_err().status(), 404, "{path}");
        }
    }

    #[test]
    fn a_method_that_is_no_routes_hears_what_the_path_takes() {
        for (path, allowed) in [("/v1/things/a", "GET, DELETE"), ("/v1/things/create", "POST"), ("/v1/things", "GET")] {
            let fault = call("PATCH", path).unwrap_err();
            assert_eq!((fault.status(), fault.allow()), (405, Some(allowed)), "{path}");
        }
    }
}

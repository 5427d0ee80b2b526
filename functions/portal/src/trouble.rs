//! Why a page cannot be shown, or a form not be taken.

use serde_json::Value;

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// There is no session, or it has ended.
    Ended,
    /// The session may not do this.
    Forbidden,
    /// There is no such thing, or it is not the session's to see.
    NotFound,
    /// A form came from elsewhere.
    Forged,
    /// What was asked for makes no sense or cannot be.
    Refused(Box<Refused>),
    /// Too much was asked for, or the API has too much to do.
    Busy,
    /// We failed, and the log says why.
    Failed(String),
}

/// What the API says of what it refuses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    /// For programs.
    pub(crate) code: String,
    /// For people, in English.
    pub(crate) message: String,
    /// The field that is amiss, by its place in the API's request, such as `headers.x-team`.
    pub(crate) field: Option<String>,
    /// What was expected of it, in English.
    pub(crate) expected: Option<String>,
    /// What is amiss within it, where a schema says so: where, and what.
    pub(crate) faults: Vec<(String, String)>,
}

impl Trouble {
    pub(crate) fn failed(cause: String) -> Self {
        Self::Failed(cause)
    }

    /// Of the API's answer with this status, in whichever of its three shapes it comes.
    pub(crate) fn of(status: u16, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = &body["error"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let refused = || Refused {
            status,
            code: if error.is_object() { text(&error["code"]) } else { text(&body["reason"]) },
            message: if error.is_object() { text(&error["message"]) } else { text(error) },
            field: error["details"]["field"].as_str().map(str::to_owned),
            expected: error["details"]["expected"].as_str().map(str::to_owned),
            faults: error["details"]["errors"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|fault| (text(&fault["path"]), text(&fault["message"])))
                .collect(),
        };
        match status {
            401 => Self::Ended,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            // A quota is not there again by itself, and its words say which one it is.
            429 if text(&error["code"]) != "quota_exceeded" => Self::Busy,
            503 => Self::Busy,
            400..500 => Self::Refused(Box::new(refused())),
            _ => Self::Failed(format!("the API answered {status}")),
        }
    }

    /// Whether the same may be taken a moment later.
    pub(crate) fn passes(&self) -> bool {
        matches!(self, Self::Busy | Self::Failed(_))
    }

    /// The status of the page that tells of it.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Ended => 401,
            Self::Forbidden | Self::Forged => 403,
            Self::NotFound => 404,
            Self::Refused(refused) => refused.status,
            Self::Busy => 503,
            Self::Failed(_) => 502,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(status: u16, body: &Value) -> Trouble {
        Trouble::of(status, body.to_string().as_bytes())
    }

    #[test]
    fn a_refusal_names_its_field_in_each_of_the_apis_shapes() {
        let details = json!({"field": "url", "expected": "a public HTTPS URL", "errors": [{"path": "/a", "message": "expected b"}]});
        let coded = of(400, &json!({"error": {"code": "invalid_request", "message": "`url`: …", "details": details}}));
        let Trouble::Refused(refused) = coded else { panic!("{coded:?}") };
        assert_eq!((refused.field.as_deref(), refused.expected.as_deref()), (Some("url"), Some("a public HTTPS URL")));
        assert_eq!(refused.faults, [("/a".to_owned(), "expected b".to_owned())]);
        let plain = of(409, &json!({"error": "it has ended", "reason": "conflict"}));
        let Trouble::Refused(refused) = plain else { panic!("{plain:?}") };
        assert_eq!((refused.code.as_str(), refused.message.as_str()), ("conflict", "it has ended"));
    }

    #[test]
    fn whatever_is_answered_is_some_trouble() {
        for (status, expected) in
            [(401, Trouble::Ended), (403, Trouble::Forbidden), (404, Trouble::NotFound), (503, Trouble::Busy)]
        {
            for body in [&b""[..], b"<html>", b"[1]", b"{\"error\": 7}"] {
                assert_eq!(Trouble::of(status, body), expected);
                assert_eq!(Trouble::of(status, body).status(), status);
            }
        }
        assert_eq!(Trouble::of(500, b"").status(), 502);
        assert_eq!(of(429, &json!({"error": {"code": "busy"}})), Trouble::Busy);
        assert_eq!(of(429, &json!({"error": {"code": "quota_exceeded"}})).status(), 429);
    }
}

//! What was posted with a form.

use std::collections::HashMap;

use postrider_api::Request;

use crate::forgery;
use crate::trouble::{Refused, Trouble};

/// How long a form may be: an event's data may be 256 KiB, and a browser writes most of JSON's signs as three.
pub(crate) const MOST_BYTES: usize = 1024 * 1024;

/// A form's fields, in its order. Of one that is not there the text is empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads what was posted.
    ///
    /// # Errors
    /// Where it is no form, or too long.
    pub(crate) fn read(request: &Request) -> Result<Self, Trouble> {
        let too_long = |status| Trouble::Refused(Box::new(Refused { status, ..Refused::default() }));
        if request.body_bytes() > MOST_BYTES {
            return Err(too_long(413));
        }
        Ok(Self(request.form().map_err(|error| too_long(error.status()))?))
    }

    /// The text of a field, without blanks around it, and with line ends as JSON and people have them.
    pub(crate) fn text(&self, name: &str) -> String {
        lines(self.raw(name))
    }

    /// The text of a field of one line, as it is drawn and sent back: a browser leaves no line break in one.
    pub(crate) fn line(&self, name: &str) -> String {
        line(self.raw(name))
    }

    /// The text of a field as it came.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// The texts of all fields of a name.
    pub(crate) fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether it was sent by the button of this name, or has that box ticked.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// All fields, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The token against forgeries.
    pub(crate) fn token(&self) -> Option<&str> {
        self.all(forgery::FIELD).next()
    }
}

/// A text of several lines as it comes back from a form in which it was drawn.
pub(crate) fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned()
}

/// A text of one line as it comes back from a form in which it was drawn.
pub(crate) fn line(text: &str) -> String {
    text.replace(['\r', '\n'], "").trim().to_owned()
}

/// What is wrong with which field of a form, in its order.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    order: Vec<String>,
    by_field: HashMap<String, String>,
    /// Where it is nothing that was typed, but what became of it.
    trouble: Option<Trouble>,
}

impl Errors {
    /// Says something about a field; what is said first stands.
    pub(crate) fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        let field = field.into();
        if !self.by_field.contains_key(&field) {
            self.order.push(field.clone());
            self.by_field.insert(field, message.into());
        }
    }

    /// Says above all fields that something went wrong which is no fault of theirs.
    pub(crate) fn add_trouble(&mut self, field: &str, message: String, trouble: Trouble) {
        self.add(field, message);
        self.trouble.get_or_insert(trouble);
    }

    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(crate) fn of(&self, field: &str) -> Option<&str> {
        self.by_field.get(field).map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.order.iter().filter_map(|field| Some((field.as_str(), self.of(field)?)))
    }
}

#[cfg(test)]
impl Form {
    /// With these fields.
    pub(crate) fn of(fields: &[(&str, &str)]) -> Self {
        Self(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use replay::Call;

    use super::*;

    fn read(media: &str, body: &str) -> Result<Form, Trouble> {
        let call = Call::new("POST", "/portal/webhooks").header("content-type", media).body(body);
        Form::read(&Request::read(call.event().payload.get(), "1").unwrap())
    }

    #[test]
    fn a_form_has_its_fields_in_their_order() {
        let form =
            read("application/x-www-form-urlencoded; charset=utf-8", "event=a&name=+%C3%A4%0D%0Ab+&event=b&test=")
                .unwrap();
        assert_eq!(form.all("event").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((form.text("name").as_str(), form.raw("name")), ("ä\nb", " ä\r\nb "));
        assert_eq!((form.has("test"), form.has("save"), form.text("save").as_str()), (true, false, ""));
    }

    #[test]
    fn what_is_no_form_or_too_long_is_refused() {
        let status = |media, body: &str| read(media, body).map(drop).map_err(|trouble| trouble.status());
        assert_eq!(status("application/json", "{}"), Err(415));
        assert_eq!(status("application/x-www-form-urlencoded", &"a".repeat(MOST_BYTES)), Ok(()));
        assert_eq!(status("application/x-www-form-urlencoded", &"a".repeat(MOST_BYTES + 1)), Err(413));
    }
}

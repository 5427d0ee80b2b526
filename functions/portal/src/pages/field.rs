//! A form's field with its label, its hint, and what is wrong with it, each tied to it for who hears the page.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use postrider_domain::time;

use crate::form::Errors;
use crate::prose;
use crate::trouble::{Refused, Trouble};
use crate::visit::Guest;

/// The place of what is wrong with a form as a whole.
pub(crate) const WHOLE: &str = "form-top";

/// The type of a field for times.
const TIMES: &str = "datetime-local";

/// A field of one kind or another.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    /// Its name in the form, and its id on the page.
    pub(crate) name: &'a str,
    pub(crate) label: &'a str,
    /// Empty where nothing is to be said.
    pub(crate) hint: &'a str,
    /// What stands in it.
    pub(crate) value: &'a str,
}

impl Field<'_> {
    /// One line, of this type; `list` is the id of a list of suggestions.
    pub(crate) fn input(self, errors: &Errors, kind: &str, list: Option<&str>) -> Markup {
        let wrong = errors.of(self.name).is_some();
        // A browser's field for times would drop what is no time, and whoever typed it could not mend it.
        let is_instant = self.value.parse::<Timestamp>().is_ok();
        let is_time = self.value.contains(':') && !is_instant && self.value.parse::<DateTime>().is_ok();
        let is_kept = kind != TIMES || self.value.is_empty() || is_time;
        let kind = if is_kept { kind } else { "text" };
        self.around(
            errors,
            html! {
                input #(self.name) type=(kind) name=(self.name) value=(self.value) list=[list] autocomplete="off" spellcheck="false"
                    aria-describedby=[self.described_by(errors)] aria-invalid=[wrong.then_some("true")];
            },
        )
    }

    /// Several lines.
    pub(crate) fn area(self, errors: &Errors) -> Markup {
        self.area_of(errors, 8)
    }

    /// A few lines of prose.
    pub(crate) fn notes(self, errors: &Errors) -> Markup {
        self.lines(errors, 2, "notes")
    }

    /// So many lines, unless somebody makes it larger.
    pub(crate) fn area_of(self, errors: &Errors, rows: u8) -> Markup {
        self.lines(errors, rows, "code")
    }

    fn lines(self, errors: &Errors, rows: u8, class: &str) -> Markup {
        let wrong = errors.of(self.name).is_some();
        self.around(
            errors,
            html! {
                textarea.(class) #(self.name) name=(self.name) rows=(rows) spellcheck="false" autocomplete="off"
                    aria-describedby=[self.described_by(errors)] aria-invalid=[wrong.then_some("true")] {
                    // A browser drops the first line break.
                    "\n" (self.value)
                }
            },
        )
    }

    /// One of several: what is sent for each, and what it is called.
    pub(crate) fn select(self, errors: &Errors, choices: &[(&str, &str)]) -> Markup {
        let wrong = errors.of(self.name).is_some();
        self.around(
            errors,
            html! {
                select #(self.name) name=(self.name) aria-describedby=[self.described_by(errors)] aria-invalid=[wrong.then_some("true")] {
                    @for (value, text) in choices { option value=(value) selected[*value == self.value] { (text) } }
                }
            },
        )
    }

    fn around(self, errors: &Errors, input: Markup) -> Markup {
        html! {
            div.field {
                label for=(self.name) { (self.label) }
                @if !self.hint.is_empty() { p.hint #{ (self.name) "-hint" } { (self.hint) } }
                @if let Some(message) = errors.of(self.name) { p.wrong #{ (self.name) "-wrong" } { (prose::line(message)) } }
                (input)
            }
        }
    }

    fn described_by(self, errors: &Errors) -> Option<String> {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        let wrong = errors.of(self.name).map(|_| format!("{}-wrong", self.name));
        let both: Vec<_> = [hint, wrong].into_iter().flatten().collect();
        (!both.is_empty()).then(|| both.join(" "))
    }
}

/// Suggestions for a field.
pub(crate) fn suggestions(id: &str, values: &[String]) -> Markup {
    html! { datalist #(id) { @for value in values { option value=(value) {} } } }
}

/// A box to tick, or one of several.
pub(crate) fn check(kind: &str, (name, value): (&str, &str), label: &str, is_checked: bool) -> Markup {
    let id = format!("{name}-{value}");
    html! {
        div.check {
            input #(id) type=(kind) name=(name) value=(value) checked[is_checked];
            label for=(id) { (label) }
        }
    }
}

/// What the API refused, at the fields of a form: `known` are the form's own, and whatever is amiss elsewhere is told above it.
///
/// # Errors
/// The trouble where it is no refusal of what the form said.
pub(crate) fn refused(trouble: Trouble, known: &[&str]) -> Result<Errors, Trouble> {
    let Trouble::Refused(refused) = trouble else { return Err(trouble) };
    let Refused { field, message, faults, .. } = *refused;
    let mut errors = Errors::default();
    // `events[2]` and `headers.x-team` are told where `events` and `headers` stand.
    let named = field.as_deref().map(|field| field.split(['.', '[']).next().unwrap_or(field));
    let place = named.filter(|field| known.contains(field)).unwrap_or(WHOLE);
    let faults: Vec<_> = faults.iter().map(|(path, message)| format!("{path}: {message}")).collect();
    errors.add(place, if faults.is_empty() { message } else { format!("{message} ({})", faults.join("; ")) });
    Ok(errors)
}

/// What became of a form that was posted: what the API refused, as above; or that the same may be taken a moment later, above a form that
/// keeps what was typed.
///
/// # Errors
/// The trouble where the form is of no use any more.
pub(crate) fn kept(guest: &Guest<'_>, trouble: Trouble, known: &[&str]) -> Result<Errors, Trouble> {
    if !trouble.passes() {
        return refused(trouble, known);
    }
    let texts = &guest.texts.troubles;
    let message = match trouble {
        Trouble::Failed(_) => (texts.kept_failed)(&guest.request.id),
        _ => texts.kept_busy.to_owned(),
    };
    let mut errors = Errors::default();
    errors.add_trouble(WHOLE, message, trouble);
    Ok(errors)
}

/// A time that a field for times was given, as the API takes it: the browser writes `2026-01-15T14:30`, and means UTC, as its label says.
/// Whoever types it may write a whole one with its zone.
pub(crate) fn time_of(text: &str) -> Option<Timestamp> {
    let civil = || text.replace(' ', "T").parse::<DateTime>().ok();
    let in_utc = || civil()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse::<Timestamp>().ok().or_else(in_utc)
}

/// A time as a field for times has it.
pub(crate) fn time_in_field(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M").to_string()
}

/// A time as the API has it.
pub(crate) fn wire(at: Timestamp) -> String {
    time::wire(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(told: &[(&str, &str)]) -> Errors {
        let mut errors = Errors::default();
        told.iter().for_each(|(field, message)| errors.add(*field, *message));
        errors
    }

    #[test]
    fn a_field_says_what_it_is_what_is_wrong_with_it_and_keeps_what_was_typed() {
        let field = Field { name: "event", label: "Event type", hint: "As a whole", value: "\"><script>" };
        let drawn = field.input(&errors(&[("event", "a <type>")]), "text", Some("types")).into_string();
        for part in [
            "<label for=\"event\">Event type</label>",
            "<p class=\"hint\" id=\"event-hint\">As a whole</p>",
            "<p class=\"wrong\" id=\"event-wrong\">a &lt;type&gt;</p>",
            "aria-describedby=\"event-hint event-wrong\" aria-invalid=\"true\"",
            "value=\"&quot;&gt;&lt;script&gt;\"",
            "list=\"types\"",
        ] {
            assert!(drawn.contains(part), "{part}: {drawn}");
        }
        let plain =
            Field { hint: "", ..field }.select(&Errors::default(), &[("a", "A"), ("\"><script>", "B")]).into_string();
        assert!(
            !plain.contains("aria-") && plain.contains("<option value=\"&quot;&gt;&lt;script&gt;\" selected>B"),
            "{plain}"
        );
        let area = Field { value: "</textarea><script>", ..field }.area(&Errors::default()).into_string();
        assert!(area.contains("&lt;/textarea&gt;&lt;script&gt;</textarea>"), "{area}");
    }

    #[test]
    fn a_field_for_times_keeps_what_is_none() {
        let drawn = |value| {
            Field { name: "since", label: "From", hint: "", value }.input(&errors(&[]), TIMES, None).into_string()
        };
        for (value, kind) in [
            ("", TIMES),
            ("2026-01-15T14:30", TIMES),
            ("2026-01-15T14:30Z", "text"),
            ("2026-01-15T14:30+02:00", "text"),
            ("2026-01-15", "text"),
            ("yesterday", "text"),
        ] {
            assert!(drawn(value).contains(&format!("type=\"{kind}\" name=\"since\" value=\"{value}\"")), "{value}");
        }
    }

    #[test]
    fn a_time_is_in_utc_unless_it_says_where() {
        let utc = |text| time_of(text).map(|at| at.to_string());
        for (text, expected) in [
            ("2026-01-15T14:30", Some("2026-01-15T14:30:00Z")),
            ("2026-01-15 14:30:05", Some("2026-01-15T14:30:05Z")),
            ("2026-01-15", Some("2026-01-15T00:00:00Z")),
            ("2026-01-15T14:30:00+02:00", Some("2026-01-15T12:30:00Z")),
            ("yesterday", None),
            ("2026-13-15T14:30", None),
            ("", None),
        ] {
            assert_eq!(utc(text).as_deref(), expected, "{text}");
        }
        assert_eq!(time_in_field(time_of("2026-01-15T14:30:05Z").unwrap()), "2026-01-15T14:30");
    }

    #[test]
    fn a_refusal_stands_at_its_field_or_above_all() {
        let refusal = |field: Option<&str>| {
            let (field, message) = (field.map(str::to_owned), "no".to_owned());
            Trouble::Refused(Box::new(Refused { status: 400, field, message, ..Refused::default() }))
        };
        for (field, place) in
            [(Some("events[2]"), "events"), (Some("since"), "since"), (Some("limit"), WHOLE), (None, WHOLE)]
        {
            let errors = refused(refusal(field), &["since", "events"]).unwrap();
            assert_eq!(errors.iter().collect::<Vec<_>>(), [(place, "no")], "{field:?}");
        }
        assert_eq!(refused(Trouble::Busy, &[]).unwrap_err(), Trouble::Busy);
    }
}

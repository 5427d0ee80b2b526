//! The page that shows the document: one text, with its style and its script inside, which asks nobody for anything else.

mod example;
mod fields;
mod kind;
mod operation;
mod prose;
mod schema;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use self::operation::Operation;
use self::prose::prose;
use crate::published::Published;

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/search.js");

const HTML: &str = "text/html; charset=utf-8";

/// A page as it is answered.
pub(crate) struct Page {
    pub(crate) published: Published,
    /// What a browser may do with it: this style, this script, and nothing else.
    pub(crate) policy: String,
}

impl Page {
    /// The page of a document.
    pub(crate) fn of(document: &Value) -> Self {
        let text = shown(document).into_string();
        let mut policy = String::from(
            "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        );
        for (what, source) in [("style", STYLE), ("script", SCRIPT)] {
            // Writing to a string cannot fail.
            let _ = write!(policy, "; {what}-src 'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(source)));
        }
        Self { published: Published::new(HTML, text), policy }
    }
}

/// The operations of a document with a tag, in its order.
fn tagged<'a>(document: &'a Value, tag: &'a Value) -> impl Iterator<Item = Operation<'a>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(move |(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, told)| Operation { document, method, path, told })
    });
    all.filter(move |operation| operation.told["tags"][0] == tag["name"])
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The place of a name in the page.
fn anchor(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

fn shown(document: &Value) -> Markup {
    let info = &document["info"];
    let title = format!("{} {}", text(&info["title"]), text(&info["version"]));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (title) " API" }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Or a browser would ask for /favicon.ico.
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the text" }
                header { p { a href="#main" { (title) } " " (text(&info["summary"])) } }
                nav aria-label="Operations" { (contents(document)) }
                main #main tabindex="-1" {
                    h1 { (text(&info["title"])) " API" }
                    (prose(text(&info["description"])))
                    // Beside this page, wherever the API's paths begin.
                    p { "The same for programs: " a href="v1/openapi.json" { "openapi.json" } "." }
                    (ways_in(document))
                    @for tag in list(&document["tags"]) {
                        section data-group {
                            h2 #(anchor(text(&tag["name"]))) { (text(&tag["name"])) }
                            (prose(text(&tag["description"])))
                            @for operation in tagged(document, tag) { (operation.shown()) }
                        }
                    }
                    (refusals(document))
                    (schemas(document))
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn contents(document: &Value) -> Markup {
    html! {
        // The script shows it: without one it would do nothing.
        div #search role="search" hidden {
            label for="words" { "Search operations and fields" }
            input #words type="search" autocomplete="off" spellcheck="false";
            p #found role="status" {}
        }
        @for tag in list(&document["tags"]) {
            div data-group {
                p { a href={ "#" (anchor(text(&tag["name"]))) } { (text(&tag["name"])) } }
                ul {
                    @for operation in tagged(document, tag) {
                        li data-of=(operation.id()) {
                            a href={ "#" (operation.id()) } { (operation.verb()) " " (text(&operation.told["summary"])) }
                        }
                    }
                }
            }
        }
        p { a href="#answers" { "Answers of many operations" } }
        p { a href="#schemas" { "Schemas" } }
    }
}

fn ways_in(document: &Value) -> Markup {
    html! {
        h2 #keys { "Keys" }
        dl {
            @for (name, scheme) in document["components"]["securitySchemes"].as_object().into_iter().flatten() {
                div { dt #{ "key-" (name) } { (operation::named(name)) } dd { (prose(text(&scheme["description"]))) } }
            }
        }
        h2 #examples { "Examples" }
        p {
            "Each runs as it is printed. They read " code { "API" } ", the URL before the path, such as " code { "https://api.example.com" }
            ", and " code { "KEY" } " from the environment, and whatever their path names, such as " code { "ID" }
            ". Python's take nothing but its own library, Node's go into a file that ends in " code { ".mjs" } "."
        }
    }
}

fn refusals(document: &Value) -> Markup {
    html! {
        section data-group {
            h2 #answers { "Answers of many operations" }
            @for (name, answer) in document["components"]["responses"].as_object().into_iter().flatten() {
                section.schema #{ "answer-" (name) } data-find {
                    h3 { (name) }
                    (prose(text(&answer["description"])))
                    (operation::body(answer))
                }
            }
        }
    }
}

fn schemas(document: &Value) -> Markup {
    html! {
        section data-group {
            h2 #schemas { "Schemas" }
            @for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
                section.schema #{ "schema-" (name) } data-find {
                    h3 { (name) }
                    (schema::shown(schema))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use regex_lite::Regex;

    use super::*;

    /// What it may weigh on the wire, where Redoc has 327 kB and Swagger UI 458.
    const MOST: usize = 70_000;

    fn document() -> Value {
        serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap()
    }

    fn all(pattern: &str, page: &str) -> Vec<String> {
        Regex::new(pattern).unwrap().captures_iter(page).map(|found| found[1].to_owned()).collect()
    }

    #[test]
    fn it_is_light() {
        let page = Page::of(&document());
        assert!(
            page.published.gzipped.len() < MOST,
            "{} bytes by gzip, of {}",
            page.published.gzipped.len(),
            page.published.text.len()
        );
        assert!(page.published.gzipped.len() > MOST / 10, "there is nothing on it");
    }

    #[test]
    fn it_has_every_operation_every_field_and_every_schema() {
        let (document, page) = (document(), Page::of(&document()).published.text);
        for tag in list(&document["tags"]) {
            for operation in tagged(&document, tag) {
                assert!(page.contains(&format!("id=\"{}\"", operation.id())), "{}", operation.id());
            }
        }
        let operations: usize =
            document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
        assert_eq!(all(r#"<section class="operation" id="(\w+)""#, &page).len(), operations);
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let start = page.find(&format!("id=\"schema-{name}\"")).unwrap();
            let section = &page[start..start + page[start..].find("</section>").unwrap()];
            for (field, _) in schema["properties"].as_object().into_iter().flatten() {
                assert!(section.contains(&format!("<code>{field}</code>")), "{name}.{field}");
            }
        }
    }

    #[test]
    fn each_of_its_links_leads_somewhere_on_it() {
        let page = Page::of(&document()).published.text;
        let places = all(r#" id="([^"]+)""#, &page);
        let once: HashSet<_> = places.iter().collect();
        assert_eq!(once.len(), places.len(), "two places with one name");
        for target in all(r##"href="([^"]+)""##, &page) {
            let is_there = target.strip_prefix('#').is_some_and(|name| once.contains(&name.to_owned()));
            assert!(is_there || ["v1/openapi.json", "data:,"].contains(&target.as_str()), "{target}");
        }
    }

    #[test]
    fn nothing_in_it_comes_from_elsewhere() {
        let page = Page::of(&document()).published.text;
        assert_eq!(all(r#"\s(src|srcset|action|onclick|style)="#, &page), [""; 0]);
        assert_eq!(all(r"(@import|url\()", STYLE), [""; 0]);
    }

    #[test]
    fn its_policy_is_for_the_style_and_the_script_that_it_has() {
        let page = Page::of(&document());
        for what in ["style", "script"] {
            let inside =
                &page.published.text[page.published.text.find(&format!("<{what}>")).unwrap() + what.len() + 2..];
            let inside = &inside[..inside.find(&format!("</{what}>")).unwrap()];
            let hash = BASE64_STANDARD.encode(Sha256::digest(inside));
            assert!(page.policy.contains(&format!("{what}-src 'sha256-{hash}'")), "{what}: {}", page.policy);
        }
    }

    #[test]
    fn what_the_document_says_is_text_and_no_markup() {
        let mut document = document();
        document["info"]["description"] = "<script>alert(1)</script> `<b>`".into();
        let page = Page::of(&document).published.text;
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; <code>&lt;b&gt;</code>"));
    }
}

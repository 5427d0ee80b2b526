//! What the routes do, for the document itself.

use postrider_api::Operation;
use postrider_api::document::JsonSchema;

/// An OpenAPI 3.1 document.
#[derive(JsonSchema)]
#[schemars(extend("type" = "object", "examples" = [{"openapi": "3.1.1"}]))]
struct OpenApi(());

pub(crate) fn openapi() -> Operation {
    let about = "OpenAPI 3.1. It changes with a release alone: ask with `If-None-Match`.";
    Operation::new("getOpenapi", "Show this document", about)
        .header::<String>("If-None-Match", "The `ETag` of the document that the caller has.")
        .answers::<OpenApi>(200, "The document; by gzip for whoever accepts it.")
        .with_header::<String>("ETag", "Another one for another document.")
        .with_header::<String>("Cache-Control", "For how long it need not be asked for again.")
        .answers_nothing(304, "The caller has this very document.")
        .with_header::<String>("ETag", "Another one for another document.")
        .with_header::<String>("Cache-Control", "For how long it need not be asked for again.")
}

pub(crate) fn docs() -> Operation {
    let about = "All of this document on one page, which loads nothing else, with examples in curl, Python and Node.";
    Operation::new("getDocs", "Read this document", about)
        .header::<String>("If-None-Match", "The `ETag` of the page that the caller has.")
        .shows(200, "The page; by gzip for whoever accepts it.")
        .with_header::<String>("ETag", "Another one for another page.")
        .with_header::<String>("Cache-Control", "For how long it need not be asked for again.")
        .answers_nothing(304, "The caller has this very page.")
        .with_header::<String>("ETag", "Another one for another page.")
        .with_header::<String>("Cache-Control", "For how long it need not be asked for again.")
}

//! The headers of every page: what a browser may do with it, and whom it may tell of it.

use postrider_api::Response;

use crate::brand::Brand;

/// A year.
const ONLY_HTTPS: &str = "max-age=31536000";

/// What a page may load, and who may frame it: files of its own origin, and nobody unless the operator says so.
pub(crate) fn content_security_policy(brand: &Brand) -> String {
    let ancestors = if brand.is_framed() { brand.frame_ancestors.join(" ") } else { "'none'".to_owned() };
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors {ancestors}"
    )
}

/// The same answer with the headers of all that the portal answers.
pub(crate) fn guarded(response: Response, brand: &Brand) -> Response {
    let response = response
        .header("content-security-policy", content_security_policy(brand))
        .header("referrer-policy", "no-referrer")
        .header("strict-transport-security", ONLY_HTTPS)
        .header("x-content-type-options", "nosniff")
        .header("cross-origin-resource-policy", "same-origin");
    if brand.is_framed() { response } else { response.header("x-frame-options", "DENY") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_unsafe_and_nobody_frames_it_unless_the_operator_says_so() {
        let plain = content_security_policy(&Brand::plain());
        assert!(plain.starts_with("default-src 'none';") && plain.ends_with("frame-ancestors 'none'"), "{plain}");
        assert!(!plain.contains("unsafe") && !plain.contains('*') && !plain.contains("http"), "{plain}");
        let origins = ["https://app.example.com", "https://admin.example.com"].map(str::to_owned).to_vec();
        let framed = content_security_policy(&Brand { frame_ancestors: origins, ..Brand::plain() });
        assert!(framed.ends_with("frame-ancestors https://app.example.com https://admin.example.com"), "{framed}");
    }
}

//! Whose certificates AWS's endpoints are believed with.
//!
//! AWS's own services present certificates of Amazon Trust Services, so its roots are enough, and reading the system's
//! whole store would be most of a function's start-up. The PEM files in `roots/` are the five roots that
//! <https://www.amazontrust.com/repository/> publishes, as distributions ship them. Webhooks' receivers are another
//! matter: they are checked against the platform's store.

use aws_smithy_http_client::tls::TrustStore;

const AMAZON: [&[u8]; 5] = [
    include_bytes!("../roots/amazon-root-ca-1.pem"),
    include_bytes!("../roots/amazon-root-ca-2.pem"),
    include_bytes!("../roots/amazon-root-ca-3.pem"),
    include_bytes!("../roots/amazon-root-ca-4.pem"),
    include_bytes!("../roots/starfield-services-root-ca-g2.pem"),
];

/// Partitions that Amazon Trust Services does not promise to serve, by how their regions' names begin.
const OTHER_PARTITIONS: [&str; 4] = ["cn-", "us-iso", "eu-iso", "eusc-"];

/// How the settings begin that send calls elsewhere than to a region's own endpoints.
const OWN_ENDPOINTS: &str = "AWS_ENDPOINT_URL";

/// The roots for a process in this region, with these settings of its environment: Amazon's, or the system's where another
/// authority may have signed (another partition, or an endpoint of the operator's own over TLS).
pub(crate) fn trusted(region: &str, settings: impl Iterator<Item = (String, String)>) -> TrustStore {
    let mut endpoints = settings.filter(|(name, _)| name.starts_with(OWN_ENDPOINTS));
    let elsewhere = endpoints.any(|(_, url)| url.starts_with("https:"));
    if elsewhere || OTHER_PARTITIONS.into_iter().any(|partition| region.starts_with(partition)) {
        return TrustStore::default();
    }
    AMAZON.into_iter().fold(TrustStore::empty(), TrustStore::with_pem_certificate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_roots_serve_its_own_endpoints_and_the_systems_all_others() {
        let system = format!("{:?}", TrustStore::default());
        let is_system = |region: &str, settings: &[(&str, &str)]| {
            let settings = settings.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
            format!("{:?}", trusted(region, settings)) == system
        };
        assert!(!is_system("eu-central-1", &[("HOME", "https://")]));
        assert!(!is_system("us-gov-west-1", &[]));
        assert!(!is_system("us-east-1", &[("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")]));
        assert!(is_system("cn-north-1", &[]));
        assert!(is_system("us-isob-east-1", &[]));
        assert!(is_system("eusc-de-east-1", &[]));
        assert!(is_system("us-east-1", &[("AWS_ENDPOINT_URL_SQS", "https://aws.example.com")]));
    }
}

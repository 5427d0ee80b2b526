//! Why a TLS handshake failed, in words that tell a receiver's owner what to mend.

use postrider_domain::named;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible};

named! {
    /// What is said. Ours to the word: the names in a receiver's certificate are not repeated.
    pub enum Sentence {
        /// A certificate whose time is over.
        Expired = "the TLS certificate has expired",
        /// A certificate whose time has not begun.
        NotYetValid = "the TLS certificate is not valid yet",
        /// A certificate that does not have the URL's host name.
        OtherName = "the TLS certificate is for another host name",
        /// A certificate whose issuer is not known.
        UnknownIssuer = "the TLS certificate is self-signed, is from an unknown authority, or came without its intermediate",
        /// A certificate that its issuer took back.
        Revoked = "the TLS certificate has been revoked",
        /// A certificate that none of the authorities has signed which have its issuer's name.
        BadSignature = "the TLS certificate is from an unknown authority with the name of a known one, or is broken",
        /// A certificate that cannot be read.
        Broken = "the TLS certificate is broken",
        /// What `openssl req -x509` makes unless it is told otherwise.
        AnAuthoritys =
            "the TLS certificate is an authority's own (CA:TRUE), self-signed or from an unknown authority, and not a server's",
        /// Any other fault of a certificate. The platform's verifier hides a wrong purpose behind a type of its own.
        OtherFault = "the TLS certificate is not for servers, or breaks another rule",
        /// A receiver without a certificate.
        NoCertificate = "the receiver showed no TLS certificate",
        /// A receiver with versions of TLS that are too old.
        OldVersion = "the receiver speaks neither TLS 1.2 nor TLS 1.3",
        /// A receiver with which there is no way to encrypt.
        NothingInCommon = "the receiver's TLS has no cipher, key exchange or signature in common with ours",
        /// A port that answers in plain text.
        NoTls = "what answers there does not speak TLS",
        /// A receiver that says what it may not.
        RulesBroken = "the receiver broke the rules of TLS",
        /// A receiver that wants to know who we are.
        AsksForOurs = "the receiver asks for a client certificate, and Postrider has none",
        /// A receiver that serves other names.
        NameUnknown = "the receiver does not know the URL's host name",
        /// An alert without a sentence of its own; its number follows.
        Alert = "the receiver ended the TLS handshake with alert",
        /// Whatever else there is.
        Failed = "the TLS handshake failed",
    }
}

/// One sentence about it.
pub(crate) fn sentence(error: &Error) -> String {
    let known = match error {
        Error::InvalidCertificate(certificate) => of_certificate(certificate),
        Error::NoCertificatesPresented => Sentence::NoCertificate,
        Error::AlertReceived(alert) => return of_alert(*alert),
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled,
        ) => Sentence::OldVersion,
        Error::PeerIncompatible(_) => Sentence::NothingInCommon,
        Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            Sentence::NoTls
        }
        Error::InvalidMessage(_) | Error::PeerMisbehaved(_) | Error::PeerSentOversizedRecord | Error::DecryptError => {
            Sentence::RulesBroken
        }
        _ => Sentence::Failed,
    };
    known.as_str().to_owned()
}

/// Whether the receiver asks for a certificate of ours.
pub(crate) fn is_about_our_certificate(error: &Error) -> bool {
    matches!(error, Error::AlertReceived(AlertDescription::CertificateRequired | AlertDescription::NoCertificate))
}

fn of_certificate(error: &CertificateError) -> Sentence {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Sentence::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Sentence::NotYetValid,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Sentence::OtherName,
        CertificateError::UnknownIssuer => Sentence::UnknownIssuer,
        CertificateError::Revoked => Sentence::Revoked,
        CertificateError::BadSignature => Sentence::BadSignature,
        CertificateError::BadEncoding => Sentence::Broken,
        CertificateError::Other(OtherError(other)) if is_an_authoritys(other.as_ref()) => Sentence::AnAuthoritys,
        _ => Sentence::OtherFault,
    }
}

fn is_an_authoritys(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

fn of_alert(alert: AlertDescription) -> String {
    let known = match alert {
        AlertDescription::ProtocolVersion => Sentence::OldVersion,
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => Sentence::AsksForOurs,
        AlertDescription::UnrecognisedName => Sentence::NameUnknown,
        other => return format!("{} {}", Sentence::Alert.as_str(), u8::from(other)),
    };
    known.as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls::pki_types::{ServerName, UnixTime};

    use super::*;

    const NAME: &str = "hooks.example.com";

    struct Authority(Certificate, Issuer<'static, KeyPair>);

    impl Authority {
        fn named(name: &str) -> Self {
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.distinguished_name.push(DnType::CommonName, name);
            let key = KeyPair::generate().unwrap();
            Self(params.self_signed(&key).unwrap(), Issuer::new(params, key))
        }

        fn issue(&self) -> Certificate {
            CertificateParams::new([NAME.to_owned()])
                .unwrap()
                .signed_by(&KeyPair::generate().unwrap(), &self.1)
                .unwrap()
        }
    }

    fn self_signed(is_ca: IsCa) -> Certificate {
        let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
        params.is_ca = is_ca;
        params.self_signed(&KeyPair::generate().unwrap()).unwrap()
    }

    /// What is said of a certificate where `known` is the one authority that is trusted.
    fn said(known: &Authority, certificate: &Certificate, chain: &[&Certificate]) -> String {
        let mut roots = RootCertStore::empty();
        roots.add(known.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let chain: Vec<_> = chain.iter().map(|certificate| certificate.der().clone()).collect();
        let name = ServerName::try_from(NAME).unwrap();
        let verdict = verifier.verify_server_cert(certificate.der(), &chain, &name, &[], UnixTime::now());
        sentence(&verdict.unwrap_err())
    }

    #[test]
    fn a_certificate_of_an_unknown_authority_is_said_to_be_that() {
        let known = Authority::named("A Known Authority");
        let unknown = Authority::named("Nobody's Authority");
        let namesake = Authority::named("A Known Authority");
        for (what, certificate, chain) in [
            ("without its authority's", unknown.issue(), vec![]),
            ("with its authority's", unknown.issue(), vec![&unknown.0]),
            ("of a namesake", namesake.issue(), vec![]),
            ("of a namesake that is shown", namesake.issue(), vec![&namesake.0]),
            ("self-signed", self_signed(IsCa::ExplicitNoCa), vec![]),
            ("self-signed, as OpenSSL makes it", self_signed(IsCa::Ca(BasicConstraints::Unconstrained)), vec![]),
        ] {
            let said = said(&known, &certificate, &chain);
            assert!(said.contains("unknown authority"), "{what}: {said}");
            assert_eq!(said.contains("self-signed"), !what.contains("namesake"), "{what}: {said}");
        }
    }

    #[test]
    fn a_certificates_own_names_are_not_repeated() {
        let expected = ServerName::try_from("hooks.example.com").unwrap();
        let presented = vec!["<script>".to_owned()];
        let wrong_name = CertificateError::NotValidForNameContext { expected, presented };
        let told = sentence(&Error::InvalidCertificate(wrong_name));
        assert_eq!(told, "the TLS certificate is for another host name");
    }

    #[test]
    fn an_alert_without_a_sentence_of_its_own_is_told_by_number() {
        let told = sentence(&Error::AlertReceived(AlertDescription::HandshakeFailure));
        assert_eq!(told, "the receiver ended the TLS handshake with alert 40");
    }
}

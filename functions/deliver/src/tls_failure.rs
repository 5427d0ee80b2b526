//! Why a TLS handshake failed, in words that tell a receiver's owner what to mend.

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

/// One sentence, ours to the word: the names in a receiver's certificate are not repeated.
pub(crate) fn sentence(error: &Error) -> String {
    let known = match error {
        Error::InvalidCertificate(certificate) => of_certificate(certificate),
        Error::NoCertificatesPresented => "the receiver showed no TLS certificate",
        Error::AlertReceived(alert) => return of_alert(*alert),
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled,
        ) => OLD_VERSION,
        Error::PeerIncompatible(_) => "the receiver's TLS has no cipher, key exchange or signature in common with ours",
        Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            "what answers there does not speak TLS"
        }
        Error::InvalidMessage(_) | Error::PeerMisbehaved(_) | Error::PeerSentOversizedRecord | Error::DecryptError => {
            "the receiver broke the rules of TLS"
        }
        _ => "the TLS handshake failed",
    };
    known.to_owned()
}

/// Whether the receiver asks for a certificate of ours.
pub(crate) fn is_about_our_certificate(error: &Error) -> bool {
    matches!(error, Error::AlertReceived(AlertDescription::CertificateRequired | AlertDescription::NoCertificate))
}

const OLD_VERSION: &str = "the receiver speaks neither TLS 1.2 nor TLS 1.3";

fn of_certificate(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the TLS certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the TLS certificate is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the TLS certificate is for another host name"
        }
        CertificateError::UnknownIssuer => {
            "the TLS certificate is self-signed, is from an unknown authority, or came without its intermediate"
        }
        CertificateError::Revoked => "the TLS certificate has been revoked",
        CertificateError::BadSignature | CertificateError::BadEncoding => "the TLS certificate is broken",
        // The platform's verifier hides a wrong purpose behind a type of its own.
        _ => "the TLS certificate is not for servers, or breaks another rule",
    }
}

fn of_alert(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::ProtocolVersion => OLD_VERSION.to_owned(),
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "the receiver asks for a client certificate, and Postrider has none".to_owned()
        }
        AlertDescription::UnrecognisedName => "the receiver does not know the URL's host name".to_owned(),
        other => format!("the receiver ended the TLS handshake with alert {}", u8::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::ServerName;

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

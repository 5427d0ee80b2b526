//! Die Wörter des Verzeichnisses der Zustellungen.

use postrider_domain::attempt::Code;
use postrider_domain::delivery::{Reason, Status};
use postrider_domain::endpoint::parking::Cause;

use crate::texts::ledger::{Advice, Ledger};

pub(super) const TEXTS: Ledger = Ledger {
    outcome,
    outcome_name,
    status,
    status_name: |status| match status {
        Status::Pending => "wartet",
        Status::Retrying => "wird wiederholt",
        Status::Succeeded => "zugestellt",
        Status::Failed => "gescheitert",
        Status::Cancelled => "abgebrochen",
    },
    reason,
    cause: |cause| match cause {
        Cause::EndpointOutage => {
            "Unter der Adresse des Webhooks antwortet niemand; es geht hinaus, sobald jemand antwortet."
        }
        Cause::RateLimit => {
            "Für den Webhook wartet mehr, als er bei seinen Anfragen je Sekunde in einer Viertelstunde zulässt; es geht der Reihe nach hinaus."
        }
    },
    statuses: [
        "Weiterleitungen wird nicht gefolgt: Geben Sie dem Webhook die Adresse, auf die diese verweist.",
        "Er verlangt eine Anmeldung: Lassen Sie unsere Anfragen ohne eine durch, oder geben Sie dem Webhook einen Header, den er annimmt.",
        "Er weist die Anfrage ab: Das kann eine Anmeldung sein, eine Firewall oder Ihre Prüfung der Signatur.",
        "Er nimmt weniger Anfragen an, als kommen: Geben Sie dem Webhook eine Höchstzahl je Sekunde.",
        "Er weist die Anfrage ab. Seine Antwort oder sein Protokoll sagt, warum; meist ist der Pfad der Adresse falsch, oder eine Prüfung der Anfrage lehnt sie ab.",
        "Der Server hatte einen Fehler oder war nicht erreichbar. Sein Protokoll sagt, warum; läuft er wieder, senden Sie noch einmal, was gescheitert ist.",
    ],
    tls: [
        "Erneuern Sie das Zertifikat; prüfen Sie die Uhr des Servers.",
        "Besorgen Sie ein Zertifikat für den Namen in der Adresse, oder nennen Sie uns den Namen, für den es gilt.",
        "Nehmen Sie eine öffentliche Zertifizierungsstelle, und senden Sie die ganze Kette, nicht nur das letzte Glied.",
        "Besorgen Sie ein anderes Zertifikat.",
        "Richten Sie am Server eines ein.",
        "Schalten Sie TLS 1.2 ein oder, besser, 1.3; ältere sind unsicher.",
        "Schalten Sie ein ECDHE-Verfahren mit AES-GCM oder ChaCha20 ein.",
        "Verzichten Sie darauf: Postrider hat keines. Jede Anfrage ist signiert, und das können Sie prüfen.",
        "Dieser Port antwortet unverschlüsselt; nennen Sie den von HTTPS.",
        "Der Server hat den Verbindungsaufbau abgelehnt; sein eigenes Protokoll sagt mehr.",
        "Der Server oder etwas davor kann kein TLS oder hat aufgelegt; sein eigenes Protokoll sagt mehr.",
    ],
    unknown: "Dieses Wort kennt die Seite noch nicht: Was es heißt, steht in der Dokumentation.",
};

fn outcome(code: Code) -> Advice {
    match code {
        Code::Succeeded => ("Ihr Empfänger hat rechtzeitig mit 2xx geantwortet.", "Es ist nichts zu tun."),
        Code::Status => (
            "Ihr Empfänger hat mit diesem Status geantwortet; nur 2xx zählt als zugestellt.",
            "Suchen Sie den Grund in seinem Protokoll.",
        ),
        Code::TimedOut => (
            "Innerhalb des Zeitlimits des Webhooks, gezählt vom Nachschlagen des Namens an, begann keine Antwort.",
            "Antworten Sie zuerst, und arbeiten Sie danach.",
        ),
        Code::DnsFailed => {
            ("Zum Namen in der Adresse gibt es keine IP-Adresse.", "Prüfen Sie den Namen und seine DNS-Einträge.")
        }
        Code::ConnectRefused => (
            "Unter dieser Adresse und diesem Port nimmt nichts Verbindungen an, oder eine Firewall weist unsere ab.",
            "Prüfen Sie beides.",
        ),
        Code::ConnectTimeout => (
            "Innerhalb des Zeitlimits kam keine Verbindung mit TLS zustande; meist verwirft eine Firewall unsere stillschweigend.",
            "Lassen Sie unsere Verbindungen durch Ihre Firewall.",
        ),
        Code::TlsFailed => (
            "Der Aufbau von TLS ist gescheitert, also wurde nichts gesendet.",
            "Beheben Sie, was der Fehler nennt, meist das Zertifikat oder seine Kette.",
        ),
        Code::Reset => (
            "Die Verbindung brach ab, bevor eine Antwort kam; wenn der Fehler nicht sagt, dass noch nichts gesendet war, kann die Anfrage Sie erreicht haben.",
            "Suchen Sie nach einem Absturz, einem Proxy oder einer Firewall.",
        ),
        Code::InvalidResponse => (
            "Was zurückkam, ist kein gültiges HTTP oder hat mehr Header, als gelesen werden.",
            "Sehen Sie nach, was an diesem Port antwortet.",
        ),
        Code::Blocked => (
            "Die Adresse führt zu einer privaten oder sonst reservierten IP-Adresse oder zu einem Namen, den der Betreiber ausschließt; dorthin wird nichts gesendet.",
            "Nehmen Sie eine öffentliche.",
        ),
        Code::Internal => (
            "Diesen Versuch haben wir nicht zustande gebracht; er zählt nicht zu Ihren und wird wiederholt.",
            "Es ist nichts zu tun.",
        ),
    }
}

fn outcome_name(code: Code) -> &'static str {
    match code {
        Code::Succeeded => "zugestellt",
        Code::Status => "ein anderer Status",
        Code::TimedOut => "keine Antwort im Zeitlimit",
        Code::DnsFailed => "Name nicht gefunden",
        Code::ConnectRefused => "Verbindung abgewiesen",
        Code::ConnectTimeout => "keine Verbindung im Zeitlimit",
        Code::TlsFailed => "TLS gescheitert",
        Code::Reset => "Verbindung abgebrochen",
        Code::InvalidResponse => "kein gültiges HTTP",
        Code::Blocked => "Adresse nicht erlaubt",
        Code::Internal => "unser Fehler",
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Pending => "Noch wurde nichts versucht.",
        Status::Retrying => "Ein Versuch ist gescheitert, und ein weiterer folgt.",
        Status::Succeeded => "Ihr Empfänger hat es angenommen.",
        Status::Failed => "Es gibt keinen weiteren Versuch, aber es kann noch einmal gesendet werden.",
        Status::Cancelled => "Es wurde abgebrochen: Es gibt keinen weiteren Versuch.",
    }
}

fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::AttemptsExhausted => "Jeder Versuch des Zeitplans ist gescheitert; sehen Sie, wie der letzte ausging.",
        Reason::EndpointGone => {
            "Ihr Empfänger hat 410 Gone geantwortet; darum wurde sein Webhook angehalten, und dorthin wird nichts mehr gesendet."
        }
        Reason::EndpointDown => {
            "So lange, wie der Zeitplan gedauert hätte, hat an Ihrer Adresse niemand geantwortet; holen Sie nach, was der Webhook verpasst hat, sobald jemand antwortet."
        }
        Reason::InternalFailures => "Viermal ist es uns misslungen; das ist unser Fehler, nicht der Ihres Empfängers.",
        Reason::WebhookDisabled => {
            "Der Webhook war angehalten, als der Versuch an der Reihe war; schalten Sie ihn wieder ein, und holen Sie nach, was er verpasst hat."
        }
        Reason::WebhookDeleted => "Der Webhook wurde gelöscht, bevor der Versuch an der Reihe war.",
        Reason::TenantSuspended => {
            "Das Konto war gesperrt, als der Versuch an der Reihe war; was es verpasst hat, lässt sich danach nachholen."
        }
        Reason::TenantDeleted => "Das Konto wurde gelöscht; niemand bekommt es mehr.",
        Reason::EventExpunged => {
            "Was das Ereignis sagte, wurde auf Wunsch entfernt, also gab es nichts mehr zu senden."
        }
        Reason::EventExpired => {
            "Das Ereignis war über seine Aufbewahrung hinaus, als der Versuch an der Reihe war, also gab es nichts mehr zu senden."
        }
        Reason::CancelledByRequest => {
            "Jemand hat es abgebrochen, einzeln oder mit allem, was für seinen Webhook wartete."
        }
    }
}

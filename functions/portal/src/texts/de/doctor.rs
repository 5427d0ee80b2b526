//! Die Signaturprüfung.

use postrider_domain::doctor::Cause;

use crate::texts::doctor::Doctor;

pub(super) const TEXTS: Doctor = Doctor {
    title: "Signaturprüfung",
    means: "Fügen Sie eine Anfrage ein, wie Ihr Empfänger sie bekommen hat. Sie erfahren, ob sie von hier kam, und wenn Ihre eigene Prüfung sie ablehnt, was daran falsch ist.",
    nothing_kept: "Nichts davon wird gespeichert.",
    whose: "Wessen Geheimnis",
    webhook: "Webhook",
    webhook_means: "Der Webhook, für den die Anfrage war. Sein eigenes Geheimnis wird probiert, Sie brauchen es also nicht zur Hand zu haben.",
    no_webhook: "keiner: nur das Geheimnis unten",
    secret: "Geheimnis, mit dem Ihr Empfänger prüft",
    secret_means: "Geben Sie es mit an, um zu erfahren, ob Ihr Empfänger das richtige hat.",
    neither: "Bitte wählen Sie einen Webhook, oder fügen Sie ein Geheimnis ein.",
    request: "Die Anfrage",
    headers: "Header",
    headers_means: "Je Zeile einer, zum Beispiel webhook-id: evt_…; oder wie curl sie zeigt, oder als JSON.",
    no_headers: "Bitte fügen Sie die Header der Anfrage ein, je Zeile einen.",
    bad_line: |number| {
        format!("Zeile {number} ist kein Header. Ein Header ist ein Name, ein Doppelpunkt und ein Wert.")
    },
    bad_value: |name| format!("Der Wert von {name} ist kein Text."),
    body: "Body",
    body_means: "Wie er ankam, bevor ein Programm ihn gelesen oder verändert hat.",
    more: "Mehr",
    line_ends: "Ein Browser verändert im Feld des Bodys die Zeilenenden; deshalb wird nacheinander probiert, welche es gewesen sein können.",
    base64: "Der Body oben ist in Base64",
    base64_means: "So wird auf dem Weg hierher kein Byte verändert: base64 < body.json",
    no_base64: "Das ist kein Base64 eines Textes.",
    received: "Wann sie ankam",
    received_means: "In UTC. Manche Signaturen gelten fünf Minuten lang. Ohne Zeit gilt eine aufbewahrte Anfrage als alt.",
    no_time: "Bitte geben Sie Tag und Uhrzeit an, zum Beispiel 2026-01-15 14:30.",
    ask: "Prüfen",
    good: (
        "Ja: Das kam von uns, unverändert.",
        "Lehnt Ihre eigene Prüfung sie ab, so bekommt sie nicht diese Bytes, diese Header oder dieses Geheimnis.",
    ),
    good_by_secret: (
        "Es wurde mit diesem Geheimnis signiert und ist unverändert.",
        "Das kann jeder, der das Geheimnis hat. Ob es von uns kam, erfahren Sie, wenn Sie stattdessen den Webhook wählen.",
    ),
    good_then: (
        "Ja: Das kam von uns, unverändert.",
        "Es wurde vor mehr als fünf Minuten signiert, wie jede Anfrage, die man aufbewahrt hat. Soll auch das Alter geprüft werden, geben Sie unten unter „Mehr“ an, wann sie ankam.",
    ),
    cause: |cause| match cause {
        Cause::WrongSecret => (
            "Fast: Das Geheimnis ist nicht dieses.",
            "Entweder ist es nicht buchstabengetreu kopiert, oder die Anfrage wurde mit einem anderen signiert. Nehmen Sie das, das beim Anlegen des Webhooks oder beim letzten Wechsel gezeigt wurde. Ist es verloren, wechseln Sie es.",
        ),
        Cause::SecretDecoded => (
            "Ja, aber das Geheimnis wurde verändert, bevor es benutzt wurde.",
            "Nehmen Sie es, wie es gezeigt wurde, mit allem, womit es beginnt, und dekodieren Sie es nicht.",
        ),
        Cause::SecretNotDecoded => (
            "Ja, aber das Geheimnis muss erst dekodiert werden.",
            "Der Schlüssel ist das, wofür das Base64 hinter whsec_ steht, und nicht der Text.",
        ),
        Cause::BodyReserialised => (
            "Fast: Der Body wurde neu geschrieben.",
            "Er sagt, was wir gesendet haben, in anderen Bytes. Ein Programm hat den Body gelesen und wieder ausgegeben. Prüfen Sie die Bytes, wie sie ankamen, bevor ein Framework sie liest.",
        ),
        Cause::BodyChanged => (
            "Nein: Diesen Body haben wir nicht gesendet.",
            "Er wurde verändert, oder jemand anders hat ihn erfunden. Prüfen Sie die Bytes, wie sie ankamen, und sehen Sie nach, was zwischen uns und Ihrem Empfänger steht.",
        ),
        Cause::PrefixMissing => (
            "Fast: Der Anfang der Signatur fehlt.",
            "Vergleichen Sie den ganzen Wert des Headers, mit dem, was vor der Signatur steht.",
        ),
        Cause::HeaderMissing => (
            "Das kann niemand sagen: Ein Header fehlt.",
            "Ohne ihn lässt sich nichts prüfen. Sehen Sie nach, ob er hier weggelassen wurde oder ob ein Proxy ihn entfernt oder umbenennt.",
        ),
        Cause::TimestampOld => (
            "Ja, aber die Anfrage ist zu alt.",
            "Die Signatur passt, wurde aber mehr als fünf Minuten vor dem Empfang gemacht. Vielleicht wurde sie wiederholt; oder Ihre Uhr geht vor.",
        ),
        Cause::TimestampInFuture => (
            "Ja, aber die Anfrage kommt aus der Zukunft.",
            "Die Signatur passt, aber ihre Zeit liegt mehr als fünf Minuten voraus. Ihre Uhr geht nach, oder Sekunden werden mit Millisekunden verglichen.",
        ),
        Cause::WrongEncoding => (
            "Ja, aber die Signatur ist anders geschrieben.",
            "Ihre Bytes stimmen. Vergleichen Sie sie in der Schreibweise, in der sie gesendet wurde.",
        ),
        Cause::WrongDialect => (
            "Ja, aber sie ist in einem anderen Format signiert.",
            "Die Anfrage ist für einen Webhook eines anderen Formats. Wählen Sie diesen Webhook, oder prüfen Sie sie, wie dieses Format geprüft wird.",
        ),
        Cause::SecretRotated => (
            "Ja, aber das Geheimnis wurde gewechselt.",
            "Anfrage und Empfänger haben verschiedene Geheimnisse dieses Webhooks. Nehmen Sie beide an, bis das alte endet.",
        ),
        Cause::NoMatch => (
            "Nein: Nichts zeigt, dass das von uns kam.",
            "Entweder ist das Geheimnis ein anderes, oder die Anfrage wurde verändert, oder jemand anders hat sie erfunden. Wählen Sie den Webhook, um mehr zu erfahren.",
        ),
    },
    unknown_cause: "Nein: Die Signatur passt nicht.",
    exactly: "Im Einzelnen",
    with_returns: "Sie passt mit Zeilenenden aus CR und LF, wie ein Browser sie sendet und wie sie angekommen sein können.",
    without_last_line_end: "Sie passt ohne das Zeilenende am Schluss. Beim Kopieren kommt oft eines hinzu; hat auch der Text Ihres Empfängers eines, so scheitert seine Prüfung daran.",
    line_ends_tried: "Der Body hat mehrere Zeilen. Er wurde mit beiden Arten von Zeilenenden probiert, und keine passt besser. Um jeden Zweifel auszuschließen, geben Sie ihn in Base64, unten unter „Mehr“.",
};

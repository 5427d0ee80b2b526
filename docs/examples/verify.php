<?php
// Whether the headers, as $_SERVER has them, fit $body, the bytes as they came, under any of the secrets. While you change your
// secret, give both, the old one and the new one. Copy it into your receiver; it needs only PHP.
// An old timestamp is refused: somebody may be sending again what they once overheard.
function is_authentic_standard(string $body, array $server, array $secrets): bool
{
    $id = $server["HTTP_WEBHOOK_ID"] ?? '';
    $timestamp = $server["HTTP_WEBHOOK_TIMESTAMP"] ?? '';
    if (!ctype_digit($timestamp) || abs(time() - (int) $timestamp) > 300) {
        return false;
    }
    $signed = "$id.$timestamp.$body";
    $signatures = explode(' ', $server["HTTP_WEBHOOK_SIGNATURE"] ?? '');
    foreach ($secrets as $secret) {
        $prefix = "whsec_";
        $key = base64_decode(str_starts_with($secret, $prefix) ? substr($secret, strlen($prefix)) : $secret, true);
        if ($key === false || $key === '') {
            continue;
        }
        $expected = "v1," . base64_encode(hash_hmac('sha256', $signed, $key, true));
        foreach ($signatures as $given) {
            if (hash_equals($expected, $given)) {
                return true;
            }
        }
    }
    return false;
}

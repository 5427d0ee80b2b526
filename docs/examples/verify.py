"""Verifies a webhook's signature. Copy what you need into your receiver; it needs only the standard library.

`is_authentic` is for one header of hex: X-Nur-Signature, X-Nouvel-Signature or X-NetraFlow-Signature.
`is_authentic_standard` is for Standard Webhooks: webhook-id, webhook-timestamp and webhook-signature.
Both take one secret, or a list of them: while yours is being changed, the old one and the new one.

Give them the body's bytes exactly as they came, before any JSON parser: parsing and printing again may change
them, and then no signature fits.

Try it by hand:  WEBHOOK_SECRET=... python3 verify.py "$SIGNATURE" ["$WEBHOOK_ID" "$WEBHOOK_TIMESTAMP"] < body.json
(several secrets: one on each line of WEBHOOK_SECRET)
"""

import base64
import binascii
import hashlib
import hmac
import os
import sys
import time
from collections.abc import Mapping

TOLERANCE = 300


def is_authentic(body: bytes, signature: str, secret: str | list[str]) -> bool:
    """Whether `signature` is the hex HMAC-SHA256 of `body`, with or without `sha256=` before it.

    The key is the whole secret as you know it, `whsec_` included. The comparison takes equally long
    wherever the two differ, so that nobody can find a valid signature by measuring.
    """
    given = (signature or "").strip().removeprefix("sha256=")
    digests = [hmac.new(key.encode(), body, hashlib.sha256).hexdigest() for key in known(secret)]
    # A list, so that all are compared, whichever fits.
    return any([is_same(given, digest) for digest in digests])  # noqa: C419


def is_authentic_standard(body: bytes, headers: Mapping[str, str], secret: str | list[str], now: float | None = None) -> bool:
    """Whether Standard Webhooks' headers fit `body`; `headers` has a `get` that takes lower-case names.

    The key is what the base64 after `whsec_` says. While a secret is being changed there are two signatures, and
    one that fits is enough. An old timestamp is refused: somebody may be sending again what they once overheard.
    """
    message_id, timestamp = headers.get("webhook-id") or "", headers.get("webhook-timestamp") or ""
    # Python reads no number of thousands of digits.
    if (
        not (timestamp.isdecimal() and len(timestamp) < 16)
        or abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE
    ):
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    given = (headers.get("webhook-signature") or "").split(" ")
    keys = [key_of(text) for text in known(secret)]
    digests = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys if key]
    return any([is_same(one, f"v1,{base64.b64encode(digest).decode()}") for digest in digests for one in given])  # noqa: C419


def known(secret: str | list[str]) -> list[str]:
    """The secrets that are any: a setting that is missing may come as an empty text, and anybody can sign with that."""
    return [text for text in ([secret] if isinstance(secret, str) else secret or []) if text]


def key_of(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return b""


def is_same(given: str, expected: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())


def main(arguments: list[str]) -> None:
    if len(arguments) not in (1, 3) or "WEBHOOK_SECRET" not in os.environ:
        sys.exit('usage: WEBHOOK_SECRET=... python3 verify.py "$SIGNATURE" ["$WEBHOOK_ID" "$WEBHOOK_TIMESTAMP"] < body.json')
    body, secret = sys.stdin.buffer.read(), os.environ["WEBHOOK_SECRET"].split("\n")
    if len(arguments) == 1:
        good = is_authentic(body, arguments[0], secret)
    else:
        names = ("webhook-signature", "webhook-id", "webhook-timestamp")
        good = is_authentic_standard(body, dict(zip(names, arguments, strict=True)), secret)
    if not good:
        sys.exit("signature does not match")
    print("signature verified")


if __name__ == "__main__":
    main(sys.argv[1:])

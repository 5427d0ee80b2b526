"""Verifies a webhook's signature. Copy `is_authentic` into your receiver; it needs only the standard library.

Give it the body's bytes exactly as they came, before any JSON parser: parsing and printing again may change
them, and then no signature fits. The header is X-Nur-Signature, X-Nouvel-Signature or X-NetraFlow-Signature.

Try it by hand:  WEBHOOK_SECRET=whsec_... python3 verify.py "$SIGNATURE" < body.json
"""

import hashlib
import hmac
import os
import sys


def is_authentic(body: bytes, signature: str, secret: str) -> bool:
    """Whether `signature` is the hex HMAC-SHA256 of `body`, with or without `sha256=` before it.

    The key is the whole secret as you know it, `whsec_` included. The comparison takes equally long
    wherever the two differ, so that nobody can find a valid signature by measuring.
    """
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    given = (signature or "").strip().removeprefix("sha256=")
    return hmac.compare_digest(expected.encode(), given.encode())


if __name__ == "__main__":
    if len(sys.argv) != 2 or "WEBHOOK_SECRET" not in os.environ:
        sys.exit('usage: WEBHOOK_SECRET=whsec_... python3 verify.py "$SIGNATURE" < body.json')
    if not is_authentic(sys.stdin.buffer.read(), sys.argv[1], os.environ["WEBHOOK_SECRET"]):
        sys.exit("signature does not match")
    print("signature verified")

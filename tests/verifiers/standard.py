"""Verifies a delivery that was really received with the Python package `standardwebhooks`.

    SECRET=... python3 standard.py ID TIMESTAMP SIGNATURE < BODY

Ends with 0 if the package accepts it, and with 1 and its reason if not.
"""

import os
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")


def main(*values: str) -> int:
    headers = dict(zip(NAMES, values, strict=True))
    try:
        Webhook(os.environ["SECRET"]).verify(sys.stdin.buffer.read(), headers)
    except (WebhookVerificationError, UnicodeDecodeError) as error:
        print(f"refused: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

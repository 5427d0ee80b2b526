"""The signature of a call, made anew by botocore from what came over the wire."""

import re

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from http1 import Message
from resolved import REGION

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})"
)
# What must be signed, or a stranger could change it on the way.
ALWAYS = {"host", "x-amz-date", "x-amz-security-token"}


class Signature:
    """Of one request. Without one that can be read there is none: `ValueError`."""

    def __init__(self, request: Message) -> None:
        found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if found is None:
            raise ValueError("no signature of version 4")
        self._request = request
        self.key, self.region, self.service, headers, self._signature = found.groups()
        self._headers = headers.split(";")

    def complaint(self, secret: str, token: str) -> str | None:
        if missing := ALWAYS - set(self._headers):
            return f"{sorted(missing)} are not signed"
        if self.region != REGION:
            return f"it is signed for {self.region}, and not {REGION}"
        if self._request.headers.get("x-amz-security-token") != token:
            return "the session's token is another"
        return None if self._signature == self._made_anew(secret, token) else "the signature is not that of the request"

    def _made_anew(self, secret: str, token: str) -> str:
        method, path, _ = self._request.first.split(" ", 2)
        headers = {name: self._request.headers[name] for name in self._headers}
        url = f"http://{self._request.headers['host']}{path}"
        request = AWSRequest(method=method, url=url, headers=headers, data=self._request.body)
        request.context["timestamp"] = headers["x-amz-date"]
        auth = SigV4Auth(Credentials(self.key, secret, token), self.service, self.region)
        return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)

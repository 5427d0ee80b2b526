"""An HTTPS server on a free port of this machine, in a thread of its own."""

import http.server
import ssl
import threading
from typing import Self


class HttpsServer:
    """Use it in a `with`, which starts and ends it. `tls` are the files of its certificate and key."""

    def __init__(
        self,
        tls: dict,
        handler: type[http.server.BaseHTTPRequestHandler],
        server: type[http.server.ThreadingHTTPServer] = http.server.ThreadingHTTPServer,
    ) -> None:
        self._server = server(("127.0.0.1", 0), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls["cert"], tls["key"])
        # A handshake belongs to the connection's own thread: one that stalls must not keep the others out.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def origin(self) -> str:
        return f"https://localhost:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

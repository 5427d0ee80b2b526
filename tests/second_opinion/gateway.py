"""The API's address, for a function that is a client of it: what comes over the wire goes to the functions, as by API Gateway."""

import asyncio

from http1 import Message, answer, serve
from world import World

# Of the connection, and no header of the event's.
HOP_BY_HOP = {"connection", "content-length", "host", "transfer-encoding"}


class Gateway:
    """It runs in the loop that starts it, and answers once it has a world."""

    world: World

    async def start(self) -> None:
        self._server, port = await serve(self._handle)
        self.url = f"http://127.0.0.1:{port}"

    async def _handle(self, request: Message) -> Message:
        method, path, _ = request.first.split(" ", 2)
        headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
        told = await asyncio.to_thread(self.world.ask, method, path, headers, request.body or None)
        made = answer(told["statusCode"], (told.get("body") or "").encode())
        made.headers |= told.get("headers", {})
        return made

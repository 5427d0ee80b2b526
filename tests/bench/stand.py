"""The stand: a deployed stack whose tables and queues are used, and our own hold on the programs."""

import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from aws import client
from counter import Counter
from destination import Destination
from flow import Flow
from function import Function
from proxy import Proxy

SENDING = ("events", "fanout", "deliver")


class Stand:
    """`programs` gives each function's program, deployed or released; what they need, the stack's description."""

    def __init__(self, stack: dict, programs: dict[str, Path], folder: Path) -> None:
        self.stack, self.programs, self.folder = stack, programs, folder
        self.proxy = Proxy(stack["endpoint_url"])
        self.https, self.http = Destination(stack["receiver_tls"]), Destination(None)

    async def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.trusted = self._trusted()
        for server in (self.proxy, self.https, self.http):
            await server.start()
        configuration = client("lambda", self.stack["endpoint_url"])
        self._settings = {
            name: configuration.get_function_configuration(FunctionName=self.stack["functions"][name]) for name in self.programs
        }

    def _trusted(self) -> Path:
        """As many roots as a function on AWS reads, and the receivers' own."""
        system = Path(ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt")
        roots = system.read_bytes() if system.exists() else b""
        bundle = self.folder / "roots.pem"
        bundle.write_bytes(roots + Path(self.stack["receiver_tls"]["ca"]).read_bytes())
        return bundle

    def memory_mb(self, name: str) -> int:
        return self._settings[name]["MemorySize"]

    def timeout(self, name: str) -> int:
        """Seconds."""
        return self._settings[name]["Timeout"]

    def function(self, name: str, program: Path | None = None, counter: Counter | None = None) -> Function:
        """A fresh process of it, with the environment that it has as deployed; what is not deployed gets another's."""
        settings = self._settings.get(name) or next(iter(self._settings.values()))
        environment = settings["Environment"]["Variables"] | {
            # The receivers are on this machine, whatever the stack was deployed with.
            "PRIVATE_TARGETS": "allow",
            "PATH": "/usr/bin:/bin",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": self.proxy.url,
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings["MemorySize"]),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
            "SSL_CERT_FILE": str(self.trusted),
        }
        return Function(program or self.programs[name], environment, self.folder / f"{name}.log", counter=counter)

    @contextlib.asynccontextmanager
    async def flow(self, counter: Counter | None = None) -> AsyncIterator[Flow]:
        """The three functions that a webhook passes, fresh and running."""
        async with contextlib.AsyncExitStack() as running:
            started = {name: self.function(name, counter=counter) for name in SENDING}
            functions = {name: await running.enter_async_context(function) for name, function in started.items()}
            yield Flow(functions, self.proxy, self.https)

"""A function under AWS's Runtime Interface Emulator, whose binary comes with SAM CLI."""

import contextlib
import http.client
import json
import platform
import random
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import psutil
import samcli

from build import ARCHITECTURES
from step import Failed

EMULATOR = Path(samcli.__file__).parent / "local" / "rapid" / f"aws-lambda-rie-{ARCHITECTURES.get(platform.machine(), '')}"
INVOKE = "/2015-03-31/functions/function/invocations"
WITHIN = 90.0
LARGEST_ANSWER = 6 * 1024 * 1024


def free_port() -> int:
    """One below those that connections get, so that none takes it before its server does."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
    raise Failed("no port is free")


def wait_until_it_listens(process: subprocess.Popen, port: int, log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise Failed(f"nobody listens on port {port}; its log is {log}")


class Emulated:
    """Use it in a `with`: its processes end with it, whatever happens."""

    def __init__(self, name: str, program: Path, environment: dict[str, str], log: Path) -> None:
        self.name, self.log = name, log
        self._program, self._environment = program, environment
        self.invocations = 0

    def __enter__(self) -> Self:
        self._port = free_port()
        line = [
            str(EMULATOR),
            "--log-level",
            "error",
            "--runtime-interface-emulator-address",
            f"127.0.0.1:{self._port}",
            "--runtime-api-address",
            f"127.0.0.1:{free_port()}",
            str(self._program),
        ]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                line,
                env={"PATH": "/usr/bin:/bin"} | self._environment,
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_until_it_listens(self._process, self._port, self.log)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # The program is in a process group of its own.
        with contextlib.suppress(psutil.NoSuchProcess):
            emulator = psutil.Process(self._process.pid)
            for process in (*emulator.children(recursive=True), emulator):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self._process.wait()

    def invoke(self, event: Any) -> Any:
        """What it answers; that it failed is a failure."""
        self.invocations += 1
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=WITHIN)
        try:
            connection.request("POST", INVOKE, json.dumps(event).encode())
            body = connection.getresponse().read()
        finally:
            connection.close()
        if len(body) > LARGEST_ANSWER:
            raise Failed(f"{self.name} answered with {len(body)} bytes, where {LARGEST_ANSWER} are the most")
        told = json.loads(body) if body else None
        if isinstance(told, dict) and "errorType" in told:
            raise Failed(f"{self.name} failed: {told}; its log is {self.log}")
        return told

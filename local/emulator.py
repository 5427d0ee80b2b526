"""The emulator: ministack, which stands in for AWS and runs the functions as plain processes."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import psutil

from run_dir import RunDir
from step import Failed

REGION = "us-east-1"
MARK = "POSTRIDER_RUN_DIR"
READY_WITHIN = 60
STOP_WITHIN = 10


def client(service: Any, url: str) -> Any:
    """A client of a service of AWS, at an emulator."""
    return boto3.client(service, endpoint_url=url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_ministack/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


class Emulator:
    """One emulator and the functions that it started, all in one process group of their own.

    It is known by its process id and by the mark in its environment, which its functions inherit: an id
    alone may long belong to somebody else.
    """

    def __init__(self, run_dir: RunDir) -> None:
        self.run_dir = run_dir
        self._child: subprocess.Popen | None = None
        self._read()

    def _read(self) -> None:
        try:
            record = json.loads(self.run_dir.emulator_record.read_text())
        except FileNotFoundError:
            record = {}
        self.pid = record.get("pid")
        self.port = record.get("port")
        self.auth = record.get("auth", False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_running(self) -> bool:
        return any(process.pid == self.pid for process in self._processes()) and answers(self.url)

    def start(self, auth: bool, trusted_ca: Path) -> None:
        """Starts it on a free port; another process may take that port first, so this is tried a few times."""
        for _ in range(3):
            try:
                self._launch(free_port(), auth, trusted_ca)
                if self._becomes_ready():
                    return
            except BaseException:
                self.stop()
                raise
            self.stop()
        raise Failed(f"the emulator did not start; its log is {self.run_dir.emulator_log}\n{self._log_tail()}")

    def _launch(self, port: int, auth: bool, trusted_ca: Path) -> None:
        self.run_dir.scratch.mkdir(parents=True, exist_ok=True)
        with self.run_dir.emulator_log.open("wb") as log:
            process = subprocess.Popen(
                [Path(sys.executable).with_name("ministack")],
                env=self._environment(port, auth, trusted_ca),
                cwd=self.run_dir.scratch,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._child = process
        record = {"pid": process.pid, "port": port, "auth": auth}
        self.run_dir.emulator_record.write_text(json.dumps(record))
        self._read()

    def _environment(self, port: int, auth: bool, trusted_ca: Path) -> dict[str, str]:
        """All of it: the functions inherit the emulator's environment, so nothing of the caller's may be in it."""
        return {
            MARK: str(self.run_dir.path),
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.run_dir.scratch),
            "TMPDIR": str(self.run_dir.scratch),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AUTH": "true" if auth else "false",
            # Both would listen, the first beyond loopback.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # The functions trust the run's receivers, and nobody else: nothing here talks to the world.
            "SSL_CERT_FILE": str(trusted_ca),
        }

    def _becomes_ready(self) -> bool:
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and self._child is not None and self._child.poll() is None:
            if self._listens(self._child.pid) and answers(self.url):
                return True
            time.sleep(0.05)
        return False

    def _listens(self, pid: int) -> bool:
        """Whether it is our child that has the port: one that another stack's emulator took first would answer as well."""
        with contextlib.suppress(psutil.Error):
            taken = psutil.Process(pid).net_connections("tcp4")
            return any(one.status == psutil.CONN_LISTEN and one.laddr.port == self.port for one in taken)
        return False

    def stop(self) -> bool:
        """Ends the emulator and every function that it left; says whether there was anything to end."""
        found = bool(self._processes())
        for number, patience in ((signal.SIGTERM, STOP_WITHIN), (signal.SIGKILL, STOP_WITHIN)):
            for process in self._processes():
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(number)
            deadline = time.monotonic() + patience
            while self._processes() and time.monotonic() < deadline:
                time.sleep(0.02)
        if left := self._processes():
            raise Failed(f"these processes of {self.run_dir} would not end: {[process.pid for process in left]}")
        self._child = None
        self.run_dir.emulator_record.unlink(missing_ok=True)
        self._read()
        return found

    def _processes(self) -> list[psutil.Process]:
        """The living processes of the emulator's session that carry this run directory's mark, and the one that this very
        program started: right after its start its environment cannot be read yet. `poll` also takes its status once it has
        ended, so that it leaves no zombie."""
        if self.pid is None:
            return []
        found = []
        for process in psutil.process_iter():
            own = self._child is not None and process.pid == self._child.pid and self._child.poll() is None
            # One that is gone, is a zombie or is not ours tells nothing.
            with contextlib.suppress(psutil.Error, OSError):
                if own or (os.getsid(process.pid) == self.pid and process.environ().get(MARK) == str(self.run_dir.path)):
                    found.append(process)
        return found

    def _log_tail(self) -> str:
        lines = self.run_dir.emulator_log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])


def free_port() -> int:
    """One that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

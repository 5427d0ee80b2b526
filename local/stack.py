"""A local stack: the emulator with the template deployed to it, and the file that says how to use it."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from authority import Authority
from build import build
from deployment import Deployment
from emulator import Emulator
from run_dir import RunDir
from step import say, step

# How the portal looks where nothing else is said. A deployment keeps what it is not told anew.
PLAIN_PORTAL = {
    "PortalName": "",
    "PortalAccent": "#1d5f8a",
    "PortalLanguage": "en",
    "PortalFrameAncestors": "",
    "PortalReturnUrl": "",
}


def compact(path: Path) -> str:
    """A JSON file on one line, as a parameter of the template takes it."""
    return json.dumps(json.loads(path.read_text()), separators=(",", ":"), ensure_ascii=False)


class Stack:
    """Brought up whole or not at all: what goes wrong half-way takes down what this very call had started."""

    def __init__(self, run_dir: RunDir, build: Callable[[RunDir], None] = build) -> None:
        """`build` gathers what to deploy: dev builds, unless the caller has others."""
        self.run_dir = run_dir
        self._gather = build
        self.emulator = Emulator(run_dir)
        self.authority = Authority(run_dir.tls)

    def up(
        self,
        strict: bool,
        auth: bool,
        dialects: str | os.PathLike | None = None,
        allowed_target_cidrs: str | None = None,
        denied_target_domains: str | None = None,
        user_agent: str | None = None,
        outage_seconds: str | None = None,
        event_types: str | None = None,
        portal: dict[str, str] | None = None,
    ) -> dict:
        """`dialects` is a file with dialects of an operator's own; the two lists are as the template takes them, and so are the
        parameters in `portal`."""
        chosen = {
            "PrivateTargets": "refuse" if strict else "allow",
            "ExtraDialects": compact(Path(dialects)) if dialects else "",
            "AllowedTargetCidrs": allowed_target_cidrs or "",
            "DeniedTargetDomains": denied_target_domains or "",
            "UserAgent": user_agent or "",
            "OutageSeconds": outage_seconds or "",
            "EventTypes": event_types or "open",
            **PLAIN_PORTAL,
            **(portal or {}),
        }
        self.run_dir.make()
        self._gather(self.run_dir)
        started = self._ensure_emulator(auth)
        try:
            with step(f"deploy the template (sam deploy; private targets: {chosen['PrivateTargets']})"):
                deployment = Deployment(self.emulator)
                deployment.deploy(self.run_dir.build, chosen)
                description = deployment.describe()
        except BaseException:
            if started:
                self.down()
            raise
        description["private_targets"] = chosen["PrivateTargets"]
        description["extra_dialects"] = chosen["ExtraDialects"]
        description["allowed_target_cidrs"] = chosen["AllowedTargetCidrs"]
        description["denied_target_domains"] = chosen["DeniedTargetDomains"]
        description["user_agent"] = chosen["UserAgent"]
        description["portal"] = portal or {}
        if outage_seconds:
            description["outage_seconds"] = int(outage_seconds)
        description["receiver_tls"] = self.authority.as_json()
        description["pids"] = [self.emulator.pid]
        self._write(description)
        return description

    def _ensure_emulator(self, auth: bool) -> bool:
        """Says whether it had to be started: one that runs stays, with its data, unless AUTH changed."""
        if self.emulator.is_running():
            if self.emulator.auth == auth:
                say(f"==> {self.run_dir} is already up: its emulator at {self.emulator.url} stays, with its data")
                return False
            say("==> AUTH changed: the running emulator goes, with its data")
        self.down()
        with step("start the emulator" + (" (it enforces the functions' roles)" if auth else "")):
            self.authority.make()
            self.emulator.start(auth, self.authority.ca)
            say(f"    {self.emulator.url}, process {self.emulator.pid}")
        return True

    def _write(self, description: dict) -> None:
        """In one move: whoever waits for the file never reads half of it. It holds the admin key."""
        draft = self.run_dir.stack.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(description, indent=2) + "\n")
        draft.rename(self.run_dir.stack)

    def down(self) -> bool:
        """Ends what `up` started, and only that; says whether there was anything."""
        found = self.emulator.stop()
        self.run_dir.stack.unlink(missing_ok=True)
        shutil.rmtree(self.run_dir.scratch, ignore_errors=True)
        return found

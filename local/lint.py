"""`make lint`: what needs no stack to be judged. Everything is judged before the verdict."""

import os
import subprocess

from build import NOWHERE, tool_environment
from run_dir import ROOT
from step import Failed, main, say, step

TOOLS = ROOT / ".tools"
CARGO_DENY = "0.20.2"

CHECKS = {
    "formatting": ["cargo", "fmt", "--all", "--check"],
    "clippy": ["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
    "dependencies": [str(TOOLS / "bin" / "cargo-deny"), "check", "bans", "licenses", "sources"],
    "template, by SAM": ["sam", "validate", "--lint", "--config-env", "local"],
    "template, by cfn-lint": ["cfn-lint", "template.yaml"],
}


def run() -> None:
    install_cargo_deny()
    bad = [what for what, command in CHECKS.items() if not passes(what, command)]
    if bad:
        raise Failed(f"lint failed: {', '.join(bad)}")
    say("\nNothing to complain about.")


def passes(what: str, command: list[str]) -> bool:
    with step(f"lint: {what}"):
        return subprocess.run(command, cwd=ROOT, env=tool_environment(NOWHERE)).returncode == 0


def install_cargo_deny() -> None:
    """Into the project's own folder, once per version: what a person has installed is nobody's to replace."""
    program = TOOLS / "bin" / "cargo-deny"
    if program.exists():
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
        if version.split()[-1:] == [CARGO_DENY]:
            return
    with step(f"install cargo-deny {CARGO_DENY} (once; a few minutes)"):
        command = ["cargo", "install", "--locked", "--version", CARGO_DENY, "--root", str(TOOLS), "cargo-deny"]
        # Compiled in a folder that cargo makes and removes: it is never needed again.
        env = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"}
        if subprocess.run([*command, "--force"], cwd=ROOT, env=env).returncode != 0:
            raise Failed("cargo-deny could not be installed")


if __name__ == "__main__":
    main(run)

"""`make lint`: what needs no stack to be judged. Everything is judged before the verdict."""

import os
import subprocess
import sys

from build import NOWHERE, tool_environment
from run_dir import ROOT
from step import Failed, main, say, step

TOOLS = ROOT / ".tools"
CARGO_DENY = "0.20.2"

# What `make check` judges as well.
QUICK = {
    "formatting": ["cargo", "fmt", "--all", "--check"],
    "clippy": ["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
    "Python's formatting": ["ruff", "format", "--check", "--quiet"],
    "Python": ["ruff", "check", "--quiet"],
    "Python's types": ["mypy"],
    "layers": [sys.executable, "local/layers.py"],
}
CHECKS = QUICK | {
    "documentation": ["cargo", "doc", "--workspace", "--no-deps", "--locked", "--quiet"],
    "dependencies": [str(TOOLS / "bin" / "cargo-deny"), "check", "bans", "licenses", "sources"],
    "template, by SAM": ["sam", "validate", "--lint", "--config-env", "local"],
    "templates, by cfn-lint": ["cfn-lint", "template.yaml", "restore.yaml"],
}


def run() -> None:
    install_cargo_deny()
    judge("lint", CHECKS)
    say("\nNothing to complain about.")


def judge(name: str, checks: dict[str, list[str]]) -> None:
    bad = [what for what, command in checks.items() if not passes(f"{name}: {what}", command)]
    if bad:
        raise Failed(f"{name} failed: {', '.join(bad)}")


def passes(what: str, command: list[str]) -> bool:
    with step(what):
        env = tool_environment(NOWHERE) | {"RUSTDOCFLAGS": "-D warnings"}
        return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode == 0


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
        if subprocess.run([*command, "--force"], cwd=ROOT, env=env, check=False).returncode != 0:
            raise Failed("cargo-deny could not be installed")


if __name__ == "__main__":
    main(run)

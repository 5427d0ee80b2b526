"""`make clients`: a client of the API in Python and one in TypeScript, as generators make them from its document."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from once import once
from run_dir import ROOT
from step import Failed, main, say, step

Command = list[str | Path]

FOLDER = ROOT / ".tools" / "clients"
DOCUMENT = ROOT / "docs" / "openapi.json"
PINS = ROOT / "tests" / "clients"
# Their pins are others than ours, so they have an environment of their own.
VENV = FOLDER / "venv"
PYTHON = FOLDER / "python"
# TypeScript finds the packages beside what is compiled.
TYPESCRIPT = FOLDER / "typescript"
BIN = TYPESCRIPT / "node_modules" / ".bin"
TYPES = TYPESCRIPT / "node_modules" / "@types"


def run() -> None:
    make()
    say(f"\nThey are in {FOLDER.relative_to(ROOT)}: python/postrider_client, and typescript/postrider.d.ts for openapi-fetch.")


def make() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    once("install what makes a client in Python", PINS / "requirements.txt", VENV, install_python)
    once("install what makes a client in TypeScript", PINS / "package-lock.json", TYPESCRIPT, install_typescript)
    with step("make a client in Python (openapi-python-client)"):
        PYTHON.mkdir(exist_ok=True)
        # It calls ruff by its name.
        env = os.environ | {"PATH": f"{VENV / 'bin'}:{os.environ['PATH']}"}
        generate: Command = [
            VENV / "bin" / "openapi-python-client",
            "generate",
            "--path",
            DOCUMENT,
            "--meta",
            "none",
            "--overwrite",
        ]
        call([*generate, "--fail-on-warning", "--output-path", PYTHON / "postrider_client"], env)
    with step("make a client in TypeScript (openapi-typescript)"):
        call([BIN / "openapi-typescript", DOCUMENT, "--output", TYPESCRIPT / "postrider.d.ts"])


def install_python() -> None:
    call([sys.executable, "-m", "venv", VENV])
    pip: Command = [VENV / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    call([*pip, "-r", PINS / "requirements.txt"])


def install_typescript() -> None:
    TYPESCRIPT.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PINS / name, TYPESCRIPT)
    call(["npm", "ci", "--prefix", TYPESCRIPT, "--ignore-scripts", "--no-audit", "--no-fund"])


def call(command: Command, env: dict[str, str] | None = None) -> None:
    if subprocess.run(command, cwd=ROOT, env=env, check=False).returncode != 0:
        raise Failed(f"failed: {' '.join(map(str, command))}")


if __name__ == "__main__":
    main(run)

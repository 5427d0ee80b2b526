"""`make release`: what is deployed to others' accounts, in one folder (`dist`).

Programs for both processors where their targets are installed; what is missing is said. `PROFILE=dev` takes dev builds for this
machine, by the same way, for who tries a release out.
"""

import os
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

from build import ARCHITECTURES, DEV, RELEASE, compile_all, cpu_arch, gather_for, make_way, one_at_a_time
from packaged import package
from run_dir import ROOT
from step import Failed, main, say, step

DIST = ROOT / "dist"
TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}
PROFILES = {"release": RELEASE, "dev": DEV}


def run() -> None:
    profile, folder = os.environ.get("PROFILE") or "release", Path(os.environ.get("DIST") or DIST).resolve()
    if profile not in PROFILES:
        raise Failed(f"PROFILE={profile} is neither `release` nor `dev`")
    number = version()
    if profile == "release":
        check_changelog(number)
    architectures = [cpu_arch()] if profile == "dev" else installed(asked(os.environ.get("ARCH")))
    make(number, architectures, profile, folder)
    for line in sizes(folder):
        say(f"    {line}")
    say(f"\nRelease {number} is in {shown(folder)}; docs/deploying-a-release.md tells how to deploy it.")
    if profile == "release" and f"v{number}" not in tags():
        say(f"This commit has no tag yet: git tag v{number}")


def make(number: str, architectures: list[str], profile: str, folder: Path) -> None:
    """Builds as `make up` and the README do, and packages what comes of it."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
    with tempfile.TemporaryDirectory(prefix="postrider-release-") as scratch, one_at_a_time(target):
        built = {}
        for arch in architectures:
            built[arch] = Path(scratch) / arch
            if profile == "dev":
                with step("compile the functions (cargo)"):
                    compile_all()
            long = "" if profile == "dev" else "; ten minutes and more on two cores"
            with step(f"build the programs for {arch} (sam build{long})"):
                make_way(target)
                gather_for(arch, built[arch], PROFILES[profile])
        with step(f"package them into {shown(folder)}"):
            package(number, built, folder)


def version() -> str:
    return str(tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"])


def check_changelog(number: str) -> None:
    if not re.search(rf"^## {re.escape(number)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE):
        raise Failed(f'CHANGELOG.md has no heading for {number}: CONTRIBUTING.md, "A release", says what comes first')


def asked(arch: str | None) -> list[str]:
    if arch and arch not in TARGETS:
        raise Failed(f"ARCH={arch} is none of {', '.join(TARGETS)}")
    return [arch] if arch else list(TARGETS)


def installed(architectures: list[str]) -> list[str]:
    """Those of these processors whose standard library is there; of the others, what is missing."""
    listed = subprocess.run(["rustup", "target", "list", "--installed"], cwd=ROOT, capture_output=True, text=True, check=True)
    there = [arch for arch in architectures if TARGETS[arch] in listed.stdout.split()]
    for arch in architectures:
        if arch not in there:
            say(f"!!! no programs for {arch}: its target is missing, which `rustup target add {TARGETS[arch]}` installs")
    if not there:
        raise Failed("there is no processor to build for")
    return there


def tags() -> list[str]:
    done = subprocess.run(["git", "tag", "--points-at", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.split()


def sizes(folder: Path) -> list[str]:
    found = sorted(folder.glob("*/*.zip"))
    width = max(len(str(path.relative_to(folder))) for path in found)
    return [f"{path.relative_to(folder)!s:{width}}  {path.stat().st_size / 1e6:6.2f} MB" for path in found]


def shown(folder: Path) -> str:
    return str(folder.relative_to(ROOT)) if folder.is_relative_to(ROOT) else str(folder)


assert set(ARCHITECTURES.values()) == set(TARGETS), "a processor without a target"

if __name__ == "__main__":
    main(run)

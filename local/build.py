"""A build: the functions' programs, made by `sam build` as for AWS, but as dev builds for this machine."""

import contextlib
import fcntl
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from run_dir import ROOT, RunDir
from step import Failed, step

# The discard port: what needs no emulator must not reach anything else either.
NOWHERE = "http://127.0.0.1:9"
# What is deployed or measured; `facts` only tells checks about it.
PROGRAMS = ["cargo", "build", "--workspace", "--exclude", "facts", "--bins"]
ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def cpu_arch() -> str:
    """This machine's processor as the template calls it: the emulator runs the programs right here."""
    try:
        return ARCHITECTURES[platform.machine()]
    except KeyError:
        raise Failed(f"the functions cannot run on a {platform.machine()} machine") from None


# A dev build by plain cargo: no link-time optimisation, no cross compiler, and every compiled
# dependency shared with `cargo test` (`.cargo/config.toml`).
DEV = {"SAM_BUILD_MODE": "debug", "CARGO_LAMBDA_COMPILER": "cargo"}
# As for AWS: optimised, and by zig, so that it starts where Amazon Linux 2023 runs.
RELEASE: dict[str, str] = {}


def tool_environment(endpoint_url: str, profile: dict[str, str] = DEV) -> dict[str, str]:
    """What SAM CLI gets: the pinned tools first, and no way to a real account by accident."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "SAM_", "CARGO_LAMBDA_"))}
    return env | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}",
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",
        **profile,
    }


def sam(command: str, *arguments: str, endpoint_url: str = NOWHERE, profile: dict[str, str] = DEV) -> None:
    """Runs SAM CLI with the local part of samconfig.toml; what it printed is shown only when it failed."""
    line = ["sam", command, "--config-file", str(ROOT / "samconfig.toml"), "--config-env", "local", *arguments]
    done = subprocess.run(
        line,
        cwd=ROOT,
        env=tool_environment(endpoint_url, profile),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Failed(f"sam {command} failed:\n{done.stdout}")


def build(run_dir: RunDir) -> None:
    """Compiles, then lets SAM gather. cargo goes first because SAM would keep its progress to itself."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
    with one_at_a_time(target):
        with step("compile the functions (cargo; the first time takes minutes)"):
            compile_all()
        with step("gather what to deploy (sam build)"):
            make_way(target)
            draft = run_dir.build.with_name(f"{run_dir.build.name}.draft")
            gather(draft)
            replace(run_dir.build, draft)


def compile_all() -> None:
    if subprocess.run(PROGRAMS, cwd=ROOT, check=False).returncode != 0:
        raise Failed("the functions do not compile")


def gather(folder: Path) -> None:
    gather_for(cpu_arch(), folder, DEV)


def gather_for(arch: str, folder: Path, profile: dict[str, str]) -> None:
    """What is deployed to this processor, one folder for each function."""
    overrides = f"Environment=local CpuArch={arch}"
    sam("build", "--build-dir", str(folder), "--parameter-overrides", overrides, profile=profile)


@contextlib.contextmanager
def one_at_a_time(target: Path) -> Iterator[None]:
    """Two stacks brought up at once share cargo's folder, where one could copy what the other is writing. The lock lies
    beside that folder, since several checkouts may share it too."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{target}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_way(target: Path) -> None:
    """cargo-lambda writes over the programs that it made last, and fails with "Text file busy" where one of them still runs.
    What is gone it makes anew, and what runs goes on."""
    for program in (target / "lambda").glob("*/bootstrap"):
        program.unlink()


def replace(folder: Path, draft: Path) -> None:
    """A build is there whole or not at all: whoever runs a program of the last one, as the bench does, goes on with it."""
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)

"""A build: the functions' programs, made by `sam build` as for AWS, but as dev builds for this machine."""

import contextlib
import fcntl
import os
import platform
import subprocess
import sys
from pathlib import Path

from run_dir import ROOT, RunDir
from step import Failed, step

# The discard port: what needs no emulator must not reach anything else either.
NOWHERE = "http://127.0.0.1:9"
ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def cpu_arch() -> str:
    """This machine's processor as the template calls it: the emulator runs the programs right here."""
    try:
        return ARCHITECTURES[platform.machine()]
    except KeyError:
        raise Failed(f"the functions cannot run on a {platform.machine()} machine") from None


def tool_environment(endpoint_url: str) -> dict[str, str]:
    """What SAM CLI gets: the pinned tools first, and no way to a real account by accident."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "SAM_"))}
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
        # A dev build by plain cargo: no link-time optimisation, no cross compiler, and every compiled
        # dependency shared with `cargo test` (`.cargo/config.toml`).
        "SAM_BUILD_MODE": "debug",
        "CARGO_LAMBDA_COMPILER": "cargo",
    }


def sam(command: str, *arguments: str, endpoint_url: str = NOWHERE) -> None:
    """Runs SAM CLI with the local part of samconfig.toml; what it printed is shown only when it failed."""
    line = ["sam", command, "--config-file", str(ROOT / "samconfig.toml"), "--config-env", "local", *arguments]
    done = subprocess.run(
        line,
        cwd=ROOT,
        env=tool_environment(endpoint_url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise Failed(f"sam {command} failed:\n{done.stdout}")


def build(run_dir: RunDir) -> None:
    """Compiles, then lets SAM gather. cargo goes first because SAM would keep its progress to itself."""
    with _one_at_a_time():
        with step("compile the functions (cargo; the first time takes minutes)"):
            if subprocess.run(["cargo", "build", "--workspace", "--bins"], cwd=ROOT).returncode != 0:
                raise Failed("the functions do not compile")
        with step("gather what to deploy (sam build)"):
            sam("build", "--build-dir", str(run_dir.build),
                "--parameter-overrides", f"Environment=local CpuArch={cpu_arch()}")


@contextlib.contextmanager
def _one_at_a_time():
    """Two stacks brought up at once share cargo's folder, where one could copy what the other is writing."""
    folder = ROOT / ".aws-sam"
    folder.mkdir(exist_ok=True)
    with open(folder / "build.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""A release folder, deployed as docs/deploying-a-release.md prints it: on the emulator of the stack that runs, beside that stack,
in a shell that has no cargo. Then an event goes its whole way through what was deployed.

The folder is made by what `make release` runs, of dev builds for this machine.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

import release
from build import cpu_arch
from demo import demonstrate
from deployment import Deployment
from emulator import REGION, Emulator
from run_dir import ROOT, RunDir
from running import Running
from step import Failed, main, say, step

PAGE = ROOT / "docs" / "deploying-a-release.md"
STACK, BUCKET = "postrider-released", "releases-of-postrider"
PARAMETERS = f"Environment=local PrivateTargets=allow CpuArch={cpu_arch()}"


def run() -> None:
    running = Running()
    with tempfile.TemporaryDirectory(prefix="postrider-released-") as scratch:
        folder = Path(scratch) / "dist"
        release.make(release.version(), [cpu_arch()], "dev", folder)
        deploy(running, folder)
    emulator = Emulator(RunDir(running.path.parent))
    description = Deployment(emulator, STACK).describe() | {"receiver_tls": running.described["receiver_tls"]}
    demonstrate(description)
    with step("take it away again"):
        running.client("cloudformation").delete_stack(StackName=STACK)
    say("\nWhat a release's folder deploys works.")


def deploy(running: Running, folder: Path) -> None:
    """Runs the page's blocks, one after another in one shell, the last deployment of what is there already."""
    running.client("s3").create_bucket(Bucket=BUCKET)
    tools = Path(sys.executable).parent
    environment = {
        "PATH": f"{tools}:/usr/bin:/bin",
        "HOME": str(folder.parent),
        "AWS_ENDPOINT_URL": running.described["endpoint_url"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",
        "RELEASE": str(folder),
        "BUCKET": BUCKET,
        "STACK_NAME": STACK,
        "PARAMETERS": PARAMETERS,
    }
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    script = "\n".join(["set -euo pipefail", "if command -v cargo; then exit 9; fi", *blocks])
    with step(f"deploy it as {PAGE.relative_to(ROOT)} says, without cargo"):
        command = ["bash", "-c", script]
        done = subprocess.run(command, cwd=folder.parent, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"{PAGE.name} does not work as printed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main(run)

"""A release folder, deployed as docs/deploying-a-release.md prints it, in a shell that has no cargo: to an emulator of its own,
where no other stack has the API's id that the template pins. Then an event goes its whole way through what was deployed.

The folder is made by what `make release` runs, of dev builds for this machine; `deployed.py some/folder` takes one that was made.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

import release
from authority import Authority
from build import cpu_arch
from demo import demonstrate
from deployment import Deployment
from emulator import REGION, Emulator, client
from run_dir import ROOT, RunDir
from step import Failed, main, say, step

PAGE = ROOT / "docs" / "deploying-a-release.md"
STACK, BUCKET = "postrider-released", "releases-of-postrider"


def run() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    run_dir = RunDir(os.environ.get("RUN_DIR") or ROOT / "local" / ".run" / "released")
    run_dir.make()
    emulator, authority = Emulator(run_dir), Authority(run_dir.tls)
    emulator.stop()
    with tempfile.TemporaryDirectory(prefix="postrider-released-") as scratch:
        # Where the page's reader stands: nothing of this repository is there.
        place = Path(scratch)
        folder = place / "dist"
        if len(sys.argv) > 1:
            shutil.copytree(sys.argv[1], folder)
        else:
            release.make(release.version(), [cpu_arch()], "dev", folder)
        authority.make()
        try:
            # With the functions' roles enforced, as AWS does.
            emulator.start(True, authority.ca)
            deployment = Deployment(emulator, STACK)
            deploy(deployment, place, folder)
            demonstrate(deployment.describe() | {"receiver_tls": authority.as_json()})
        finally:
            with step("take the stack down"):
                emulator.stop()
                shutil.rmtree(run_dir.scratch, ignore_errors=True)
    say("\nWhat a release's folder deploys works.")


def deploy(deployment: Deployment, place: Path, folder: Path) -> None:
    """Runs the page's blocks, one after another in one shell, the last deployment of what is there already."""
    url = deployment.emulator.url
    client("s3", url).create_bucket(Bucket=BUCKET)
    tools = Path(sys.executable).parent
    environment = {
        "PATH": f"{tools}:/usr/bin:/bin",
        "HOME": str(place),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",
        "RELEASE": str(folder),
        "BUCKET": BUCKET,
        "STACK_NAME": deployment.name,
        # The emulator's API has no host of its own that a resolver would know.
        "PARAMETERS": f"Environment=local PrivateTargets=allow CpuArch={cpu_arch()} PublicUrl={deployment.api_url()}",
    }
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    script = "\n".join(["set -euo pipefail", "if command -v cargo; then exit 9; fi", *blocks])
    with step(f"deploy it as {PAGE.relative_to(ROOT)} says, without cargo"):
        command = ["bash", "-c", script]
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"{PAGE.name} does not work as printed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main(run)

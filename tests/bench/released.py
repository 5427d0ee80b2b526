"""The release programs, and a stack's build folder made of them: what is measured is what is deployed."""

import os
import shutil
import subprocess
from pathlib import Path

from ruamel.yaml import YAML

from build import PROGRAMS
from deployment import FUNCTIONS
from run_dir import ROOT, RunDir
from step import Failed, step


class Released:
    """`programs` is the folder where cargo leaves them."""

    def __init__(self) -> None:
        target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
        host = subprocess.run(["rustc", "--print", "host-tuple"], cwd=ROOT, capture_output=True, text=True, check=True)
        self.programs = target / host.stdout.strip() / "release"

    def build(self, run_dir: RunDir) -> None:
        """Compiles for this machine with the very profile of a deployment, then gathers as `sam build` does."""
        with step("compile the release programs (cargo; the first time takes ten minutes and more on two cores)"):
            if subprocess.run([*PROGRAMS, "--release"], cwd=ROOT, check=False).returncode != 0:
                raise Failed("the programs do not compile")
        shutil.rmtree(run_dir.build, ignore_errors=True)
        yaml = YAML()
        template = yaml.load(ROOT / "template.yaml")
        for name in FUNCTIONS:
            resource = f"{name.capitalize()}Function"
            folder = run_dir.build / resource
            folder.mkdir(parents=True)
            shutil.copy(self.programs / name, folder / "bootstrap")
            template["Resources"][resource]["Properties"]["CodeUri"] = resource
            template["Resources"][resource].pop("Metadata", None)
        with (run_dir.build / "template.yaml").open("w") as file:
            yaml.dump(template, file)

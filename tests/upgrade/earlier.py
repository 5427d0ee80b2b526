"""The version before this one. Its programs are built once, and kept by its commit."""

import os
import shutil
import subprocess
from pathlib import Path

from samcli.yamlhelper import yaml_dump, yaml_parse

from build import one_at_a_time
from run_dir import ROOT
from step import Failed, step

# What was deployed before there were releases: there every upgrade begins until the first tag.
BEFORE_RELEASES = "8e7c5f3"
KEPT = ROOT / ".tools" / "upgrade"
FUNCTION = "AWS::Serverless::Function"


class Earlier:
    """One commit of the repository."""

    def __init__(self, name: str, commit: str) -> None:
        self.name = name
        self.commit = commit
        self.build = KEPT / commit[:12]

    @property
    def template(self) -> Path:
        return self.build / "template.yaml"

    def make(self) -> None:
        """As that version builds for an emulator: dev programs, by plain cargo. What died half-way counts for nothing."""
        with one_at_a_time(self.build):
            if self.template.exists():
                return
            draft = self.build.with_name(f"{self.build.name}.draft")
            shutil.rmtree(draft, ignore_errors=True)
            source = draft / "source"
            source.mkdir(parents=True)
            with step(f"compile the programs of {self.name} (cargo; once for each version, some minutes)"):
                self._check_out(source)
                template = yaml_parse((source / "template.yaml").read_text())
                programs = {name: each["Metadata"]["BuildProperties"]["Binary"] for name, each in functions(template).items()}
                made = compiled(source, sorted(programs.values()))
                gather(template, programs, made, draft)
            # Sources and what cargo leaves are a gigabyte.
            shutil.rmtree(source)
            draft.rename(self.build)

    def _check_out(self, folder: Path) -> None:
        packed = folder.with_name("source.tar")
        git("archive", "--output", str(packed), self.commit)
        shutil.unpack_archive(packed, folder, filter="data")
        packed.unlink()


def functions(template: dict) -> dict[str, dict]:
    return {name: each for name, each in template["Resources"].items() if each["Type"] == FUNCTION}


def compiled(source: Path, programs: list[str]) -> Path:
    """The folder with these programs of the sources."""
    # Of the workspace as a whole, as that version's own build has it: a single package's features differ.
    chosen = [argument for program in programs for argument in ("--bin", program)]
    target = source / "target"
    env = os.environ | {"CARGO_TARGET_DIR": str(target), "CARGO_INCREMENTAL": "0"}
    command = ["cargo", "build", "--locked", "--workspace", "--quiet", *chosen]
    if subprocess.run(command, cwd=source, env=env, check=False).returncode != 0:
        raise Failed(f"the programs of {source} do not compile")
    return next(target.glob(f"*/debug/{programs[0]}")).parent


def gather(template: dict, programs: dict[str, str], made: Path, folder: Path) -> None:
    """What `sam build` would leave: a folder for each function, and a template that names them."""
    for name, program in programs.items():
        (folder / name).mkdir()
        shutil.copy2(made / program, folder / name / "bootstrap")
        template["Resources"][name]["Properties"]["CodeUri"] = name
        del template["Resources"][name]["Metadata"]
    template["Globals"]["Function"].pop("CodeUri", None)
    (folder / "template.yaml").write_text(yaml_dump(template))


def find(clone: Path = ROOT) -> Earlier | None:
    """The last release before what is checked out, or, until there is one, the commit above; none where the history is not
    here, as in a shallow clone."""
    name = git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^", clone=clone) or BEFORE_RELEASES
    commit = git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", clone=clone)
    return Earlier(name, commit) if commit else None


def git(*arguments: str, clone: Path = ROOT) -> str:
    """What git says; nothing where it fails, or where this is no clone."""
    done = subprocess.run(["git", *arguments], cwd=clone, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""

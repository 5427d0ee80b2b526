"""A release folder: the programs as zips, the template that takes them from a bucket, and checksums. Who deploys it needs neither
Rust nor this repository.

The same programs make the same folder, byte for byte, whenever and wherever it is made.
"""

import hashlib
import re
import shutil
import zipfile
from pathlib import Path

from run_dir import ROOT
from step import Failed

TEMPLATE, SUMS = "template.yaml", "SHA256SUMS"
# What is in it as it is: with the one a stack begins that takes over tables (docs/restore.md).
COPIED = ("restore.yaml", "LICENSE")
# The earliest that a zip can say.
FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)
# A file that everybody may run.
PROGRAM = 0o100755
# Where the programs are; who deploys says it.
PARAMETERS = """
  CodeBucket:
    Type: String
    AllowedPattern: ^[0-9a-z][0-9a-z.-]{1,61}[0-9a-z]$
    ConstraintDescription: The name of a bucket.
    Description: The bucket, in the stack's own region, that this release's folder was copied to.
  CodePrefix:
    Type: String
    Default: ""
    MaxLength: 200
    AllowedPattern: ^$|^[0-9A-Za-z._/-]*/$
    ConstraintDescription: A prefix such as postrider/1.2.3/ that ends with a slash, or nothing.
    Description: >-
      Under which prefix of the bucket. It has to be another one for each release, or CloudFormation sees no change of the
      programs.
"""


METADATA = r"    Metadata:\n      BuildMethod: rust-cargolambda\n      BuildProperties: {Binary: (\w+)}\n"
FUNCTION = re.compile(rf"^{METADATA}    Properties:\n", re.MULTILINE)
LOGICAL_ID = re.compile(r"^  (\w+):\n(?:    #[^\n]*\n)*    Type: AWS::Serverless::Function\n", re.MULTILINE)


def functions(template: str) -> dict[str, str]:
    """Each function's program, by the function's name in the template."""
    names, programs = LOGICAL_ID.findall(template), FUNCTION.findall(template)
    if not names or len(names) != len(programs):
        raise Failed(f"{len(names)} functions in the template, and {len(programs)} programs")
    return dict(zip(names, programs, strict=True))


def released(template: str, version: str, architectures: list[str]) -> str:
    """The template with its programs in a bucket, for the processors that they were built for. All else of its text stays."""
    functions(template)
    uri = '      CodeUri: {{Bucket: !Ref CodeBucket, Key: !Sub "${{CodePrefix}}${{CpuArch}}/{}.zip"}}\n'
    template = FUNCTION.sub(lambda found: f"    Properties:\n{uri.format(found[1])}", template)
    default = "arm64" if "arm64" in architectures else architectures[0]
    for what, instead in (
        (r"(?:    #[^\n]*\n)*    CodeUri: \.\n", ""),
        (r"^Parameters:\n", f"Parameters:{PARAMETERS}"),
        (
            r"    Default: arm64\n    AllowedValues: \[arm64, x86_64\]\n",
            f"    Default: {default}\n    AllowedValues: [{', '.join(architectures)}]\n",
        ),
        (r'^  Release:\n    Type: String\n    Default: ""\n', f'  Release:\n    Type: String\n    Default: "{version}"\n'),
    ):
        # What a text to put in says of backslashes is not for `re`.
        template, times = re.subn(what, instead.replace("\\", r"\\"), template, flags=re.MULTILINE)
        if times != 1:
            raise Failed(f"template.yaml has {what!r} {times} times, and not once")
    return template


def package(version: str, built: dict[str, Path], folder: Path) -> None:
    """Makes the folder of what `sam build` left, by processor: a folder with a program for each function."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    template = (ROOT / TEMPLATE).read_text()
    for arch, place in built.items():
        (folder / arch).mkdir()
        for function, program in functions(template).items():
            write_zip(folder / arch / f"{program}.zip", (place / function / "bootstrap").read_bytes())
    (folder / TEMPLATE).write_text(released(template, version, sorted(built)))
    for name in COPIED:
        shutil.copyfile(ROOT / name, folder / name)
    (folder / SUMS).write_text(sums(folder))


def write_zip(path: Path, program: bytes) -> None:
    """The one file that Lambda runs. It says nothing of when, where or by whom it was made."""
    entry = zipfile.ZipInfo("bootstrap", FIRST_MOMENT)
    entry.create_system = 3
    entry.external_attr = PROGRAM << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(entry, program, compresslevel=9)


def sums(folder: Path) -> str:
    """As `shasum -a 256 --check` reads them."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return "".join(f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in files)

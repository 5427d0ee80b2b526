"""A release folder: whole, the same each time, and such that who deploys it needs nothing of this repository."""

import contextlib
import hashlib
import io
import os
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path
from typing import ClassVar
from unittest import mock

from cfnlint.decode import cfn_yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

import packaged
import release
from run_dir import ROOT
from step import Failed

PAGE = (ROOT / "docs" / "deploying-a-release.md").read_text()
BOTH = ("arm64", "x86_64")


def functions() -> dict[str, str]:
    return packaged.functions((ROOT / "template.yaml").read_text())


def built(place: Path, *architectures: str) -> dict[str, Path]:
    """What `sam build` leaves, with texts for programs."""
    for arch in architectures:
        for function, program in functions().items():
            file = place / arch / function / "bootstrap"
            file.parent.mkdir(parents=True)
            file.write_text(f"{program} for {arch}")
    return {arch: place / arch for arch in architectures}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class Folder(unittest.TestCase):
    place: ClassVar[Path]
    folder: ClassVar[Path]
    template: ClassVar[dict]

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.place = Path(scratch.name)
        cls.folder = cls.place / "dist"
        packaged.package("1.2.3", built(cls.place / "built", *BOTH), cls.folder)
        cls.template = cfn_yaml.load(str(cls.folder / "template.yaml"))

    def test_it_has_the_programs_of_both_processors_the_template_and_their_sums(self):
        programs = {f"{arch}/{program}.zip" for arch in BOTH for program in functions().values()}
        others = {"template.yaml", "restore.yaml", "LICENSE", "SHA256SUMS"}
        self.assertEqual(set(contents(self.folder)), programs | others)
        (table,) = re.findall(r"\n## What is in it\n.*?\n\n(?=\[)", PAGE, re.DOTALL)
        self.assertEqual({*re.findall(r"^\| `([^*`]+)` \|", table, re.MULTILINE)}, others)
        self.assertEqual((self.folder / "restore.yaml").read_bytes(), (ROOT / "restore.yaml").read_bytes())
        with zipfile.ZipFile(self.folder / "arm64" / "deliver.zip") as file:
            (entry,) = file.infolist()
            self.assertEqual((entry.filename, file.read(entry)), ("bootstrap", b"deliver for arm64"))
            self.assertEqual(entry.external_attr >> 16, 0o100755, "Lambda could not run it")

    def test_the_same_programs_make_the_same_folder(self):
        with mock.patch("time.time", return_value=2_000_000_000), mock.patch.dict(os.environ, {"TZ": "Asia/Tokyo"}):
            packaged.package("1.2.3", built(self.place / "again", *reversed(BOTH)), self.place / "other")
        self.assertEqual(contents(self.place / "other"), contents(self.folder))

    def test_its_sums_are_those_of_all_other_files(self):
        lines = (self.folder / "SHA256SUMS").read_text().splitlines()
        told = {name: checksum for checksum, name in (line.split("  ") for line in lines)}
        there = {name: hashlib.sha256(text).hexdigest() for name, text in contents(self.folder).items() if name != "SHA256SUMS"}
        self.assertEqual((told, list(told)), (there, sorted(told)))

    def test_each_function_takes_its_program_from_the_folder(self):
        found = {}
        for name, resource in self.template["Resources"].items():
            if resource["Type"] == "AWS::Serverless::Function":
                place = resource["Properties"]["CodeUri"]
                self.assertEqual(place["Bucket"], {"Ref": "CodeBucket"})
                found[name] = place["Key"]["Fn::Sub"]
                for arch in BOTH:
                    key = found[name].replace("${CodePrefix}", "").replace("${CpuArch}", arch)
                    self.assertTrue((self.folder / key).exists(), key)
        self.assertEqual(found.keys(), functions().keys())

    def test_all_else_of_the_template_is_as_it_was_tested(self):
        tested = cfn_yaml.load(str(ROOT / "template.yaml"))
        tested["Globals"]["Function"].pop("CodeUri")
        for name in functions():
            tested["Resources"][name].pop("Metadata")
            tested["Resources"][name]["Properties"]["CodeUri"] = self.template["Resources"][name]["Properties"]["CodeUri"]
        for name in ("CodeBucket", "CodePrefix"):
            tested["Parameters"][name] = self.template["Parameters"][name]
        tested["Parameters"]["Release"]["Default"] = "1.2.3"
        self.assertEqual(self.template, tested)

    def test_nothing_of_this_repository_is_needed(self):
        self.assertNotIn("cargo", (self.folder / "template.yaml").read_text())
        command = [Path(sys.executable).with_name("cfn-lint"), self.folder / "template.yaml"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_where_the_programs_are_is_a_bucket_and_a_prefix(self):
        parameters = self.template["Parameters"]
        self.assertNotIn("Default", parameters["CodeBucket"], "nobody could guess it")
        for value in ("", "postrider/0.2.0/", "a/"):
            self.assertRegex(value, parameters["CodePrefix"]["AllowedPattern"])
        for value in ("postrider/0.2.0", "/ a/"):
            self.assertNotRegex(value, parameters["CodePrefix"]["AllowedPattern"])

    def test_a_processor_that_it_has_no_programs_for_cannot_be_chosen(self):
        packaged.package("1.2.3", built(self.place / "alone", "x86_64"), self.place / "one")
        processor = cfn_yaml.load(str(self.place / "one" / "template.yaml"))["Parameters"]["CpuArch"]
        self.assertEqual((processor["Default"], processor["AllowedValues"]), ("x86_64", ["x86_64"]))
        processor = self.template["Parameters"]["CpuArch"]
        self.assertEqual((processor["Default"], processor["AllowedValues"]), ("arm64", list(BOTH)))

    def test_a_template_that_it_does_not_understand_is_no_release(self):
        text = (ROOT / "template.yaml").read_text()
        for changed in (text.replace("    CodeUri: .\n", ""), text.replace("rust-cargolambda", "makefile", 1)):
            with self.assertRaises(Failed):
                packaged.released(changed, "1.2.3", list(BOTH))


class Processors(unittest.TestCase):
    def installed(self, *targets: str, asked: str | None = None) -> tuple[list[str], str]:
        said = io.StringIO()
        done = subprocess.CompletedProcess([], 0, stdout="\n".join(targets))
        with mock.patch("release.subprocess.run", return_value=done), contextlib.redirect_stdout(said):
            return release.installed(release.asked(asked)), said.getvalue()

    def test_what_is_missing_is_said_and_the_other_is_built(self):
        arm, intel = release.TARGETS["arm64"], release.TARGETS["x86_64"]
        self.assertEqual(self.installed(arm, intel), (["arm64", "x86_64"], ""))
        found, said = self.installed(intel)
        self.assertEqual(found, ["x86_64"])
        self.assertIn(f"`rustup target add {arm}`", said)
        self.assertEqual(self.installed(arm, intel, asked="arm64"), (["arm64"], ""))

    def test_without_any_there_is_no_release(self):
        for targets, asked in ((("wasm32-unknown-unknown",), None), ((release.TARGETS["x86_64"],), "arm64")):
            with self.assertRaises(Failed), contextlib.redirect_stdout(io.StringIO()):
                self.installed(*targets, asked=asked)
        with self.assertRaises(Failed):
            release.asked("sparc")


class Versions(unittest.TestCase):
    def test_a_version_without_a_heading_in_the_changelog_is_no_release(self):
        with self.assertRaises(Failed):
            release.check_changelog("99.0.0")

    def test_the_pages_name_the_present_one(self):
        number = release.version()
        self.assertEqual(set(re.findall(r'VERSION:-([\d.]+)\}|  version = "([\d.]+)"', PAGE)), {(number, ""), ("", number)})
        self.assertIn(f"git tag v{number}", (ROOT / "CONTRIBUTING.md").read_text())


class Terraform(unittest.TestCase):
    """What of the page's Terraform can be judged without Terraform."""

    def setUp(self):
        (self.text,) = re.findall(r"```hcl\n(.*?)```", PAGE, re.DOTALL)

    def test_each_way_names_what_is_another_for_each_release(self):
        """What nobody names keeps its value, so the last release's name would stay."""
        named = {"CodePrefix": ['"$PREFIX"'] * 2, "Release": ['"$VERSION"'] * 2}
        blocks = "".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
        self.assertEqual({name: re.findall(rf"\b{name}=(\S+)", blocks) for name in named}, named)
        self.assertEqual(
            dict(re.findall(r"^    (CodePrefix|Release) += (\S+)$", self.text, re.MULTILINE)),
            {
                "CodePrefix": "local.prefix",
                "Release": "local.version",
            },
        )
        (console,) = re.findall(r"\n## In the console\n(.*?)\n## ", PAGE, re.DOTALL)
        for name in named:
            self.assertIn(f"`{name}`", console)

    def test_it_gives_the_template_parameters_that_it_has(self):
        given = set(re.findall(r"^    (\w+) += ", self.text, re.MULTILINE)) & {*re.findall(r"[A-Z]\w+", self.text)}
        known = cfn_yaml.load(str(ROOT / "template.yaml"))["Parameters"].keys() | {"CodeBucket", "CodePrefix"}
        self.assertLessEqual({"CodeBucket", "CodePrefix"}, given)
        self.assertLessEqual(given, known)

    def test_it_lets_cloudformation_do_what_the_other_ways_do(self):
        asked = set(re.findall(r"CAPABILITY_\w+", self.text))
        for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
            if "--capabilities" in block:
                self.assertEqual(set(re.findall(r"CAPABILITY_\w+", block)), asked)

    def test_what_it_tells_is_an_output(self):
        outputs = cfn_yaml.load(str(ROOT / "template.yaml"))["Outputs"]
        self.assertLessEqual(set(re.findall(r'outputs\["(\w+)"\]', self.text)), set(outputs))

    def test_its_brackets_are_pairs(self):
        for opens, closes in ("{}", "[]", "()"):
            self.assertEqual(self.text.count(opens), self.text.count(closes))
        self.assertEqual(self.text.count('"') % 2, 0)


if __name__ == "__main__":
    unittest.main()

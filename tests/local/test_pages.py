"""What the pages print for people to type: where it stands, in which form, and that a block which no test can run is rehearsed.
tests/e2e/pages runs all others."""

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import unittest
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from run_dir import ROOT

# What a line begins with that somebody is to type. Between backquotes, what has an option or an address is to be typed, too,
# unless it is only spoken of, as cargo and make are.
PROGRAMS = "aws|cargo|curl|cat|cd|date|export|git|jq|make|node|npm|openssl|output|python3?|rustup|sam|sudo|pip"
TYPED = re.compile(rf"^\s*(?:\$ |\w+=\S* )*(?:{PROGRAMS}) ", re.MULTILINE)
TYPED_INLINE = re.compile(r"^(?:aws|curl|export|npm|pip|rustup|sam|sudo) (?:.* )?(?:-{1,2}\w|https?:|\$)")
# CloudWatch Logs Insights, the one thing that stands in indented blocks.
QUERY = re.compile(r"(?:fields|filter|stats) .+(?:\n\| (?:fields|filter|stats|sort|limit) .+)*\n")
TOOLS = f"{ROOT / 'local/.venv/bin'}:{os.environ['PATH']}"
# What whoever types a block has set before: as the runbook begins, and in the page's earlier blocks.
SET = {"STACK_NAME": "postrider", "AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"}
SET |= {"PRIVATE_SUBNET": "subnet-0a1b2c3d", "GROUP": "sg-0a1b2c3d"}
LANGUAGES = {"sh", "json", "yaml", "http", "text"}
# To copy, in whose languages `export` or `output` is a word like any other. Who tries them: tests/examples/test_guides.py runs
# the programs, test_release.py reads the Terraform.
PROGRAMMING = {"rust", "python", "js", "go", "php", "ruby", "hcl"}


@dataclass
class Block:
    page: str
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}: {self.text.splitlines()[0]}"


def pages() -> dict[str, str]:
    paths = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted(ROOT.glob("docs/**/*.md"))]
    return {str(path.relative_to(ROOT)): path.read_text() for path in paths}


def tokens(text: str) -> list[Token]:
    return MarkdownIt().enable("table").parse(text)


def blocks(*languages: str) -> list[Block]:
    """Those of these languages; an indented block has none."""
    return [
        Block(page, token.info, token.content)
        for page, text in pages().items()
        for token in tokens(text)
        if token.type in ("fence", "code_block") and (not languages or token.info in languages)
    ]


def shell() -> list[Block]:
    return blocks("sh")


def bash(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    command = ["bash", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)


class Places(unittest.TestCase):
    def test_commands_stand_in_blocks_of_shell_and_nowhere_else(self):
        self.assertLessEqual({block.language for block in blocks()} - {""}, LANGUAGES | PROGRAMMING)
        for block in blocks():
            with self.subTest(block.name):
                if block.language == "":
                    self.assertRegex(block.text, rf"\A{QUERY.pattern}\Z", "only queries are indented: fence it")
                elif block.language not in {"sh", *PROGRAMMING}:
                    self.assertIsNone(TYPED.search(block.text), "commands go into a block of sh, where a test runs them")
        for page, text in pages().items():
            inline = [child for token in tokens(text) for child in token.children or [] if child.type == "code_inline"]
            for code in inline:
                self.assertIsNone(TYPED_INLINE.search(code.content), f"{page}: `{code.content}` goes into a block of its own")


class Form(unittest.TestCase):
    def test_it_is_shell(self):
        for block in shell():
            done = bash("-n", "-c", block.text)
            self.assertEqual((done.returncode, done.stderr), (0, ""), block.name)

    def test_every_wait_has_an_end(self):
        for block in shell():
            endless = re.search(r"\buntil\b|\bwhile (?!read |messages=)", block.text)
            self.assertIsNone(endless, f"{block.name}: who pastes it waits for ever; for _ in $(seq 60)")

    def test_both_versions_of_the_aws_cli_understand_it(self):
        for block in shell():
            for payload in re.findall(r"--payload (\S+)", block.text):
                self.assertTrue(payload.startswith("fileb://"), f"{block.name}: only version 1 takes text as it is")
            only = re.findall(r"--cli-binary-format|--no-cli-pager|--cli-auto-prompt", block.text)
            self.assertEqual(only, [], f"{block.name}: only version 2 has these")

    def test_it_names_its_stack_and_region_by_variables(self):
        for block in shell():
            named = re.findall(r"(?:--stack-name|--function-name|--group-name|--region) (?!\"\$)\S+", block.text)
            self.assertEqual(named, [], f"{block.name}: $STACK_NAME, so that others' stacks are found, too")

    def test_it_is_no_dialect_of_gnu(self):
        for block in shell():
            self.assertIsNone(re.search(r"\bdate [^\n|)]*(?:-d|%\d*N)|\breadarray\b|\bsed -i", block.text), block.name)

    def test_the_runbook_begins_as_the_readme_does(self):
        text = pages()
        readme = [line for block in shell() if block.page == "README.md" for line in block.text.splitlines()]
        _, begins = text["docs/runbook/README.md"].split("\n## Before you begin\n")
        for token in tokens(begins.split("\n## ")[0]):
            for line in token.content.splitlines() if token.info == "sh" else []:
                self.assertTrue(line in readme or line.startswith("echo "), f"the README has it otherwise: {line}")


REFUSING = """
curl() {
  echo '{"error": {"code": "invalid_request", "message": "refused, says the stub"}}'
  case "$*" in *--fail-with-body*) return 22 ;; esac
}
sleep() { exit 99; }
API=http://127.0.0.1:9 HOOK=http://127.0.0.1:9
"""


class Refused(unittest.TestCase):
    """What happens to somebody who pastes the calls, in a shell that goes on after an error, where each is refused."""

    def test_the_error_is_shown_and_nothing_waits_for_what_was_never_made(self):
        calls = [block for block in shell() if block.page == "README.md" and "curl" in block.text and "$API" in block.text]
        self.assertGreater(len(calls), 5)
        for block in calls:
            if "output ApiUrl" in block.text:
                continue
            with self.subTest(block.name):
                done = bash("-c", f"{REFUSING}\n{block.text}")
                self.assertIn("refused, says the stub", done.stdout + done.stderr)
                self.assertNotEqual(done.returncode, 99, "it waits for what was refused")


class Region(unittest.TestCase):
    """Where the pages' commands go, by what a person has set."""

    def test_what_is_set_counts_before_the_profiles(self):
        for profile, given, region in (
            ("", {}, "us-east-1"),
            ("eu-west-1", {}, "eu-west-1"),
            ("eu-west-1", {"AWS_REGION": "ap-south-1"}, "ap-south-1"),
            ("eu-west-1", {"AWS_REGION": "ap-south-1", "AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2"),
        ):
            with self.subTest(profile=profile, given=given), tempfile.NamedTemporaryFile("w") as config:
                config.write(f"[profile mine]\nregion = {profile}\n" if profile else "[profile mine]\n")
                config.flush()
                unset = {"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}
                chosen = {"AWS_CONFIG_FILE": config.name, "AWS_PROFILE": "mine", "PATH": TOOLS} | unset | given
                [block] = [block for block in shell() if "STACK_NAME=" in block.text and block.page == "docs/runbook/README.md"]
                done = bash("-c", f"set -euo pipefail\n{block.text}\necho $AWS_DEFAULT_REGION $AWS_REGION", **chosen)
                self.assertEqual(done.stdout.split(), [region, region], done.stderr)


class Rehearsals(unittest.TestCase):
    """Blocks that no test runs: their programs read them, and do nothing."""

    def setUp(self):
        self.listed: list[dict[str, str]] = json.loads((ROOT / "tests/pages/rehearsed.json").read_text())

    def test_each_is_one_block_of_its_page_and_says_why(self):
        for left_out in self.listed:
            self.assertEqual(len(self.meant(left_out)), 1, left_out)
            self.assertTrue(left_out["why"])

    def test_its_programs_know_all_that_it_names(self):
        functions = (ROOT / "tests/pages/rehearsal.sh").read_text()
        for left_out in self.listed:
            for block in self.meant(left_out):
                script = f"set -euo pipefail\n{functions}\n{block.text}"
                done = bash("-c", script, PATH=TOOLS, ROOT=str(ROOT), **SET)
                self.assertEqual(done.returncode, 0, f"{block.text}\n{done.stdout}{done.stderr}")

    def test_a_chosen_configuration_is_there(self):
        configured = tomllib.loads((ROOT / "samconfig.toml").read_text())
        chosen = [pair for block in shell() for pair in re.findall(r"sam (\w+) --config-env (\w+)", block.text)]
        self.assertTrue(chosen)
        for command, environment in chosen:
            self.assertIn("parameters", configured.get(environment, {}).get(command, {}), f"sam {command}: {environment}")

    def meant(self, left_out: dict[str, str]) -> list[Block]:
        on_page = [block for block in shell() if block.page == left_out["page"]]
        return [block for block in on_page if block.text.startswith(left_out["begins"])]


if __name__ == "__main__":
    unittest.main()

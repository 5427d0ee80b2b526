"""What CONTRIBUTING.md prints for people to type works, as far as it needs no stack; tests/e2e/pages/contributing.rs runs the
rest, and test_pages.py rehearses what takes too long."""

import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from run_dir import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
ON_A_STACK = "# on the stack that runs\n"
REHEARSED = json.loads((ROOT / "tests/pages/rehearsed.json").read_text())


def blocks() -> list[str]:
    """Those that are run."""
    rehearsed = tuple(left_out["begins"] for left_out in REHEARSED if left_out["page"] == "CONTRIBUTING.md")
    printed = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [block for block in printed if not block.startswith(rehearsed)]


class Commands(unittest.TestCase):
    def test_what_needs_no_stack_runs_as_printed(self):
        alone = [block for block in blocks() if not block.startswith(ON_A_STACK)]
        self.assertTrue(alone and len(alone) < len(blocks()), "the page has blocks of both kinds")
        for block in alone:
            command = ["bash", "-euo", "pipefail", "-c", block]
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            self.assertEqual(done.returncode, 0, f"{block}\n{done.stdout}")

    def test_every_make_on_any_page_has_a_target_that_its_help_lists(self):
        targets = set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))
        listed = set(re.findall(r"^#   make ([a-z0-9-]+)", MAKEFILE, re.MULTILINE))
        self.assertLessEqual(listed, targets)
        pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/**/*.md")]
        for page in pages:
            named = re.findall(r"(?:`|^)make (?:-s )?([a-z0-9-]+)", page.read_text(), re.MULTILINE)
            self.assertLessEqual(set(named), targets, page.name)
        self.assertLessEqual(set(re.findall(r"`make ([a-z0-9-]+)", PAGE)) - listed, {"env", "bench-counts"})

    def test_the_help_tells_of_every_variable_of_a_make(self):
        variables = re.findall(r"\b([A-Z_]+)=", " ".join(re.findall(r"^(make [^#\n]*)", PAGE, re.MULTILINE)))
        self.assertGreater(len(variables), 4)
        for variable in variables:
            self.assertRegex(MAKEFILE, rf"\b{variable}=", "the help says nothing of it")


class Example(unittest.TestCase):
    def test_it_is_one_of_the_tests_of_the_file_that_is_named(self):
        [(example, told)] = re.findall(r"^```rust\n(.*?)^```\n\n(.*?)\n", PAGE, re.MULTILINE | re.DOTALL)
        [named] = re.findall(r"`(functions/[\w/]+\.rs)`", told)
        self.assertIn(example, (ROOT / named).read_text())


class Files(unittest.TestCase):
    def test_every_file_that_a_checklist_names_is_there(self):
        _, checklists = PAGE.split("## Checklists")
        named = set(re.findall(r"`((?:shared|functions|tests|docs|local)/[\w./-]+)`", checklists))
        self.assertGreater(len(named), 20)
        missing = sorted(name for name in named if not (ROOT / name).exists())
        self.assertEqual(missing, [], "a checklist leads nowhere")


if __name__ == "__main__":
    unittest.main()

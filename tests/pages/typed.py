"""Somebody at a terminal who types what a page prints, block by block, while other things happen between two blocks."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Self

from run_dir import ROOT
from step import Failed

# After what a block printed.
MARK = "~~~ of the walk ~~~"
# For SQS the pinned CLI goes to AWS's own address unless its command line says another.
BEGINS = 'set -euo pipefail\naws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }\n'
BLOCK = re.compile(r"^( *)```sh\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, heading: str | None = None) -> list[str]:
    """A page's blocks of shell, or those below one of its headings, each without the margin of the list that it stands in."""
    text = (ROOT / page).read_text()
    if heading is not None:
        found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#{{1,2}} |\Z)", text, re.MULTILINE | re.DOTALL)
        if found is None:
            raise Failed(f"{page} has no heading `{heading}`")
        text = found[2]
    return [re.sub(rf"^{margin}", "", block, flags=re.MULTILINE) for margin, block in BLOCK.findall(text)]


class Terminal:
    """One shell, which keeps what was set in it. Use it in a `with`, which ends it."""

    def __init__(self, folder: Path, endpoint_url: str, **given: str) -> None:
        """`given` is what the person has set before the first block."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))}
        env |= {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}",
            "AWS_ENDPOINT_URL": endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "0.2",
        }
        self._env = env | given
        self._begins = ""
        self._typed = 0

    def beginning(self, block: str) -> Self:
        """With what every page takes for granted typed before."""
        self._begins = block
        return self

    def __enter__(self) -> Self:
        self._shell = subprocess.Popen(
            ["bash"],
            cwd=self.folder,
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._type(BEGINS)
        if self._begins:
            self.type(self._begins)
        return self

    def __exit__(self, *_: object) -> None:
        self._shell.kill()
        self._shell.communicate()

    def type(self, block: str) -> str:
        """What a block prints; one that fails ends the shell, and is told with what it said."""
        self._typed += 1
        file = self.folder / f"block-{self._typed}.sh"
        file.write_text(block)
        # What reads its input would otherwise read the blocks that come.
        self._type(f"source {file.name} < /dev/null\necho '{MARK}'\n")
        said: list[str] = []
        assert self._shell.stdout is not None
        for line in self._shell.stdout:
            # What is printed need not end its line.
            if line.endswith(f"{MARK}\n"):
                return "".join([*said, line.removesuffix(f"{MARK}\n")])
            said.append(line)
        raise Failed(f"{block}\nfails:\n{''.join(said)}")

    def _type(self, text: str) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write(text)
        self._shell.stdin.flush()

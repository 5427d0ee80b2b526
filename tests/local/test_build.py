"""The build step: two stacks brought up at once from one checkout do not stand in each other's way."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

import build
from run_dir import RunDir
from step import Failed

ROUNDS = 10
PROGRAMS = ("deliver", "fanout")
# Some program that can be told to run for a while.
SLEEP = Path(shutil.which("sleep") or "/bin/sleep").resolve()


def bring_up(place: Path, name: str) -> None:
    """The build step, again and again, with what cargo-lambda and SAM do to the files in place of themselves; a program of
    each kind that they leave goes on running until the next build is over."""
    target, run_dir = place / "target", RunDir(place / name)
    started: list[subprocess.Popen] = []

    def gather(folder: Path) -> None:
        for program in PROGRAMS:
            made, kept = (parent / program / "bootstrap" for parent in (target / "lambda", folder))
            for file in (made, kept):
                file.parent.mkdir(parents=True, exist_ok=True)
            # cargo-lambda writes over what is there, SAM copies it.
            shutil.copyfile(SLEEP, made)
            made.chmod(0o755)
            shutil.copy2(made, kept)
            started.append(subprocess.Popen([made, "60"]))

    os.environ["CARGO_TARGET_DIR"] = str(target)
    build.compile_all, build.gather = lambda: None, gather
    try:
        for _ in range(ROUNDS):
            build.build(run_dir)
            started += [subprocess.Popen([run_dir.build / program / "bootstrap", "60"]) for program in PROGRAMS]
            while len(started) > 4 * len(PROGRAMS):
                end(started.pop(0))
    finally:
        for process in started:
            end(process)


def end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()


class Build(unittest.TestCase):
    def test_two_at_once_never_find_a_program_busy(self):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, folder]
            both = [
                subprocess.Popen([*command, name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for name in "ab"
            ]
            for process in both:
                said, _ = process.communicate(timeout=120)
                self.assertEqual(process.returncode, 0, said)

    def test_a_build_that_fails_leaves_the_last_one(self):
        with tempfile.TemporaryDirectory() as folder:
            run_dir = RunDir(folder)
            (run_dir.build / "deliver").mkdir(parents=True)
            with (
                mock.patch.dict(os.environ, {"CARGO_TARGET_DIR": f"{folder}/target"}),
                mock.patch("build.compile_all"),
                mock.patch("build.gather", side_effect=Failed("sam build failed")),
                contextlib.redirect_stdout(io.StringIO()),
                self.assertRaises(Failed),
            ):
                build.build(run_dir)
            self.assertTrue((run_dir.build / "deliver").exists())


if __name__ == "__main__":
    bring_up(Path(sys.argv[1]), sys.argv[2])

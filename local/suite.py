"""`make test`: every test. The end-to-end ones get a stack of their own, whose functions have no right
that their roles do not give them, and it is taken down whatever happens."""

import os
import shutil
import signal
import subprocess
import sys

from clients import Command, call
from emulator import free_port
from once import once
from run_dir import ROOT, RunDir
from side_by_side import SideBySide
from stack import Stack
from step import Failed, main, say, step

# --workspace also where one binary would do: a single package's features differ, and all would be compiled again.
CARGO_TEST = ["cargo", "test", "--workspace", "--no-fail-fast"]
E2E = [*CARGO_TEST, "--test", "e2e", "--"]
UNIT_TESTS = [*CARGO_TEST, "--lib", "--quiet"]
# What the tests of the template ask for facts. They would compile it themselves, in silence.
FACTS = ["cargo", "build", "--workspace", "--bin", "facts"]
# The tests in Python, by what they test.
PYTHON_TESTS = {
    what: [sys.executable, "-m", "unittest", "discover", "-s", f"tests/{what.replace(' ', '_')}"]
    for what in ("template", "openapi", "examples", "bench", "local", "smoke", "second opinion")
}
SECOND_OPINION = [sys.executable, "tests/second_opinion/second_opinion.py"]
CLIENTS = [sys.executable, "tests/clients/drive.py"]
PORTAL = [sys.executable, "local/portal.py"]
FUZZ = [sys.executable, "tests/fuzz/fuzz.py"]
RELEASED = [sys.executable, "tests/release/deployed.py"]
# The end-to-end tests mostly wait for receivers and retries, so more of them run at once than there are cores.
AT_ONCE = "5"
# Those of the tests that disturb a stack which take minutes.
LONG = (
    "chaos::fault_runs::",
    "chaos::soak::",
    "chaos::owner::",
    "chaos::recovery::",
    "chaos::bad_days::fanout",
    "chaos::sweeps::dead",
    "chaos::smoke::of_a_stack",
)
# An operator's own dialects, as data alone.
DIALECTS = ROOT / "tests" / "e2e" / "dialects.json"
# What an operator may choose beside what the rules say; the vectors know neither.
LISTS = {"allowed_target_cidrs": "10.99.0.0/16,fd99:1::/48", "denied_target_domains": "denied.invalid"}
USER_AGENT = "Postrider-Tests/1"
VERIFIERS = ROOT / "tests" / "verifiers"


def run() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    check("compile what the tests ask for facts (cargo)", FACTS)
    # The tests of the examples run those in Node, too.
    install_node_packages()
    for what, command in PYTHON_TESTS.items():
        check(f"tests of the {what}", command)
    check("hear a second opinion (make second-opinion)", SECOND_OPINION)
    check("compile the tests (cargo)", [*CARGO_TEST, "--no-run"])
    run_dir = RunDir(os.environ.get("RUN_DIR") or ROOT / "local" / ".run" / "test")
    stack, second = Stack(run_dir), Stack(RunDir(run_dir.path / "second"))
    stack.down()
    second.down()
    for folder in (stack.run_dir, second.run_dir):
        shutil.rmtree(folder.seen, ignore_errors=True)
    try:
        use = {"POSTRIDER_STACK": str(run_dir.stack), "RUST_TEST_THREADS": AT_ONCE}
        stack.up(strict=False, auth=True, dialects=DIALECTS, user_agent=USER_AGENT)
        check("test everything (cargo test)", CARGO_TEST, **use)
        check("open the pages in a real browser (make portal-test)", PORTAL, **use)
        second.up(strict=False, auth=True, dialects=DIALECTS, user_agent=USER_AGENT)
        with step("kill, starve and poison what delivers, on two stacks"):
            SideBySide([*E2E, "--ignored", "--exact"], disturbing()).run([stack.run_dir.stack, second.run_dir.stack])
        check("call everything with what nobody would think of (make fuzz)", FUZZ, POSTRIDER_STACK=str(second.run_dir.stack))
        check(
            "have clients in Python and TypeScript made, and drive them (make clients)",
            CLIENTS,
            POSTRIDER_STACK=str(second.run_dir.stack),
        )
        check("deploy a release's folder without cargo", RELEASED, RUN_DIR=str(run_dir.path / "released"))
        for searched in (stack, second):
            logs = {"POSTRIDER_STACK": str(searched.run_dir.stack)}
            check("search every log for what must not be there", [*E2E, "--ignored", "logs::"], **logs)
        folders = [str(seen.run_dir.seen) for seen in (stack, second)]
        check("add up what the tests have seen of the API's document", [sys.executable, "tests/openapi/coverage.py", *folders])
        second.down()
        # It ends the stack's own deliveries; what follows makes none.
        check("count what a delivery costs", [sys.executable, "tests/bench/counts.py"], RUN_DIR=str(run_dir.path))
        framing = {"PortalFrameAncestors": f"http://localhost:{free_port()}", "PortalLanguage": "de", "PortalName": "Acme"}
        stack.up(strict=True, auth=True, dialects=DIALECTS, portal=framing, **LISTS)
        check("test that no private target is allowed", [*CARGO_TEST, "--test", "e2e", "targets::strict"], **use)
        check("open the portal in a frame, in German", [*PORTAL, "framed"], **use)
    finally:
        with step("take the stacks down"):
            second.down()
            stack.down()
    say("\nAll tests passed.")


def disturbing() -> list[str]:
    """The tests that disturb a whole stack, those first that take minutes, or they would be what is waited for at the end."""
    tests = [name for name in names("--ignored") if name.startswith("chaos::")]
    return sorted(tests, key=lambda name: not name.startswith(LONG))


def names(*which: str) -> list[str]:
    """The end-to-end tests that there are, as their program lists them."""
    listing = [*E2E, "--list", "--format", "terse", *which]
    done = subprocess.run(listing, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Failed("the tests do not compile")
    return [line.removesuffix(": test") for line in done.stdout.splitlines() if line.endswith(": test")]


def install_node_packages() -> None:
    """What the tests verify with in Node: into their own folder, once per lock file."""
    npm: Command = ["npm", "ci", "--prefix", VERIFIERS, "--ignore-scripts", "--no-audit", "--no-fund"]
    once(
        "install what the tests verify with (npm)",
        VERIFIERS / "package-lock.json",
        VERIFIERS / "node_modules",
        lambda: call(npm),
    )


def check(what: str, command: list[str], **extra: str) -> None:
    with step(what):
        if subprocess.run(command, cwd=ROOT, env=os.environ | extra, check=False).returncode != 0:
            raise Failed(f"failed: {what}")


if __name__ == "__main__":
    main(run)

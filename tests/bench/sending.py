"""CPU time of one POST: by the bare loop, and by deliver's own sender, over the same connections in the same minute."""

import asyncio
import dataclasses
from pathlib import Path

from stand import Stand

ROUNDS = 5
FIRSTS = 11
# name: scheme, connections, POSTs
MODES = {"http_warm": ("http", "kept", 3000), "https_warm": ("https", "kept", 3000), "https_new": ("https", "new", 300)}


@dataclasses.dataclass
class Sending:
    """Microseconds of CPU, by mode; the least of some rounds."""

    bare: dict[str, float]
    send: dict[str, float]
    first: float


async def sending(stand: Stand, bare: Path, send: Path) -> Sending:
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(ROUNDS):
        for mode, (scheme, connections, posts) in MODES.items():
            url = (stand.https if scheme == "https" else stand.http).url
            for name, program in (("bare", bare), ("send", send)):
                taken.setdefault((name, mode), []).append(await _run(stand, program, url, str(posts), connections))
    firsts = [await _run(stand, send, stand.https.url, "first") for _ in range(FIRSTS)]
    least = {key: min(values) for key, values in taken.items()}
    return Sending(
        bare={mode: least["bare", mode] for mode in MODES},
        send={mode: least["send", mode] for mode in MODES},
        first=min(firsts),
    )


async def _run(stand: Stand, program: Path, *arguments: str) -> float:
    return float(await end_of(stand, [str(program), *arguments]))


async def end_of(stand: Stand, command: list[str]) -> bytes:
    """What it prints, once it has ended well."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={"PATH": "/usr/bin:/bin", "SSL_CERT_FILE": str(stand.trusted)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, problem = await process.communicate()
    if process.returncode != 0:
        raise AssertionError(f"{' '.join(command)} failed: {problem.decode(errors='replace')}")
    return out

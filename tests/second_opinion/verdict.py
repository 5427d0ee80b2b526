"""What a run has shown: its figures, what was wrong, and the rights that nobody needed, held against those that are explained."""

import json
from pathlib import Path

from resolved import ACCOUNT, REGION
from stage import Stage
from step import say

EXPLAINED = Path(__file__).with_name("unneeded.json")


class Verdict:
    """`is_whole` says whether every story was played; of a part nothing follows about what is not needed."""

    def __init__(self, stage: Stage, is_whole: bool) -> None:
        self._stage, self._is_whole = stage, is_whole
        broken = [f"{what} ({times} times)" for what, times in stage.judge.broken.items()]
        broken += [f"unreadable: {one}" for one in stage.checkpoint.failed]
        for role, need in stage.itself.needs():
            broken += [f"AWS itself: {refused}" for refused in stage.judge.demand(role, [need])]
        broken += [f"AWS itself: {refused}" for refused in stage.itself.refused()]
        names = {stage.resolved.name(name): name for name in stage.resolved.named()}
        self._broken = [_plain(one, names) for one in broken]
        self.unneeded = {_plain(str(right), names) for right in stage.judge.unneeded()}
        self._uncalled = sorted(stage.world.all_routes.keys() - stage.world.routes)

    def tell(self, own_settings: dict[str, str]) -> None:
        judge, world = self._stage.judge, self._stage.world
        say("\nDifferent from production: " + ", ".join(f"{name}={value}" for name, value in own_settings.items()))
        say("  and AWS_ENDPOINT_URL, SSL_CERT_FILE (the receivers' own authority)")
        for fault in sorted(self._stage.faults.met):
            say(f"Put right in moto: {fault}")
        invocations = sum(function.invocations for function in world.functions.values())
        say(f"\n{invocations} invocations in AWS's envelopes; {len(world.routes)} of {len(world.all_routes)} routes")
        operations = {name for _, name in judge.calls}
        say(
            f"{judge.calls.total()} calls of {len(operations)} operations, held against {judge.check.rules} rules of AWS's models"
        )
        say(f"{len(judge.needed)} rights needed of {len(judge.rights)} given")

    def problems(self) -> list[str]:
        if not self._is_whole:
            return self._broken
        explained = {entry["right"]: entry["why"] for entry in json.loads(EXPLAINED.read_text())}
        found = list(self._broken)
        found += [f"no story calls the route {route}" for route in self._uncalled]
        found += [f"nobody needs {right}" for right in sorted(self.unneeded - explained.keys())]
        found += [
            f"unneeded.json explains what is needed, or is not there: {one}" for one in sorted(explained.keys() - self.unneeded)
        ]
        found += [f"unneeded.json does not say why: {right}" for right, why in explained.items() if not why]
        return found


def _plain(text: str, names: dict[str, str]) -> str:
    """As the template calls things."""
    text = text.replace(f":{REGION}:{ACCOUNT}:", ":::")
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, names[name])
    return text

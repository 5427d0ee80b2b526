"""The queues that a roll-back leaves outside of the stack, with what is in them, and the runbook's way to bring that back."""

from typing import Self

from ground import Ground, Patience
from typed import Terminal, blocks

PAGE, HEADING = "docs/runbook/continuation-queue-behind.md", "At a roll-back"
BEGIN = ("docs/runbook/README.md", "Before you begin")


class LeftBehind:
    """Somebody with the runbook at hand. Use it in a `with`: it notes the queues before the roll-back."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._note, *self._bring_back, self._look, self._delete = blocks(PAGE, HEADING)
        given = {"STACK_NAME": ground.deployment.name}
        self._terminal = Terminal(ground.run_dir.path / "runbook", ground.emulator.url, **given)

    def __enter__(self) -> Self:
        self._terminal.__enter__()
        for block in blocks(*BEGIN):
            self._terminal.type(block)
        self.queues = self._terminal.type(self._note).split()
        return self

    def __exit__(self, *of: object) -> None:
        self._terminal.__exit__(*of)

    def bring_back(self) -> None:
        """Repeats it until nothing is left: what somebody had in hand comes back to its queue later."""
        patience = Patience("the queues that were left behind are to be empty")
        while any(self.ground.waiting(queue) for queue in self.queues):
            for block in self._bring_back:
                self._terminal.type(block)
            patience.wait(self._terminal.type(self._look))
        self._terminal.type(self._delete)
        self.ground.invoke("FanoutFunction", {"redrive": True})

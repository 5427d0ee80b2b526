"""The ways back that docs/restore.md knows, one after another, with what each of them has to show."""

import json
import shutil
from typing import Any

from customers import DUE, UNSEEN, UNSENT, Customers, until
from endpoints import Endpoints
from ground import Ground, Patience
from ledger import differences, shown
from run_dir import ROOT
from step import Failed, say, step
from traffic import Way
from typed import Terminal, blocks

PAGE = "docs/restore.md"
BEGIN = ("docs/runbook/README.md", "Before you begin")
TABLES = ("ConfigTable", "EventsTable", "DeliveriesTable", "JobsTable")
# How the page names a restored table, and how it is named here (`_stand_in`).
RESTORED = (
    'restored() { echo "$(cat "$1.txt")-restored"; }',
    'restored() { jq -r --arg table "$1" ".[\\$table]" restored.json; }',
)
# How many loops between two sweeps: one that comes while another's messages are under way would send some twice.
BETWEEN_SWEEPS = 30


class Walks:
    """One stack stands at a time: the template gives the emulator's API one id. So all that is taken from the first one is taken
    before it goes."""

    def __init__(self, ground: Ground, endpoints: Endpoints) -> None:
        self.first = ground
        with step("deploy a stack, and let 200 events end there"):
            ground.deploy(ground.run_dir.build)
            self.customers = Customers(ground, endpoints)
            self.customers.let_200_end()
        self.ledger = shown(ground.api, self.customers.owners)
        say(f"    {len(self.ledger)} webhooks, deliveries and events; {sum(self.customers.posts().values())} POSTs")

    def go(self) -> None:
        with self._terminal("files") as files, self._terminal("moment") as moment, self._terminal("deleted") as deleted:
            self._export(files)
            second = self._restore(moment)
            with step("delete the stack, as the page has it"):
                deleted.type(blocks("docs/aws.md", "Deleting a stack")[0])
            self.by_files(files)
            self.ledger = self.with_20_under_way
            self.from_a_moment(second, moment)
            self.after_a_deleted_stack(deleted)
            self._all_was_typed([files, moment, deleted])

    def _export(self, terminal: Terminal) -> None:
        with step("export the stack, as the page has it"):
            for block in [*blocks(PAGE, "Before")[:2], blocks(PAGE, "By files")[0]]:
                told = terminal.type(block)
            if "\n0 deliveries have not ended" not in told:
                raise Failed(f"all had ended, and yet: {told}")

    def _restore(self, terminal: Terminal) -> Ground:
        with step("have 20 more events under way, and the stack send nothing"):
            self._begin_what_does_not_end(terminal)
            self.with_20_under_way = shown(self.first.api, self.customers.owners)
        second = self.first.beside("postrider-of-a-moment")
        with step("restore its tables, as the page has it"):
            restore = blocks(PAGE, "From a moment")[0]
            self._stand_in(second, terminal)
            terminal.type(f"MOMENT=2026-01-15T14:30:00Z\n{restore.replace(*RESTORED)}")
        return second

    def by_files(self, terminal: Terminal) -> None:
        """Nothing was under way, so the other stack shows the same and sends nothing."""
        second = self.first.beside("postrider-by-files")
        with step("import the files into another stack, as the page has it"):
            told = terminal.type(f"SECOND={second.deployment.name}\n{blocks(PAGE, 'By files')[1]}")
            say("    " + "\n    ".join(told.strip().splitlines()[-4:]))
            terminal.type(blocks(PAGE, "The secrets")[0])
        sent = self.customers.posts()
        self._deploy(second)
        self._last_step(second, terminal)
        self._show(second, sent, again=[])
        self._copy_what_was_lost(second, terminal)
        self._delete(second)

    def from_a_moment(self, second: Ground, terminal: Terminal) -> None:
        """Twenty events were under way, and those alone are sent again."""
        with step("begin a second stack with the restored tables, as the page has it"):
            terminal.type(f"SECOND={second.deployment.name}\n{blocks(PAGE, 'From a moment')[1]}")
            self._upon_tables(terminal)
        self._check_what_is_told(terminal.type(blocks(PAGE, "The last step")[1]))
        self._send_again(second, terminal)
        self._delete(second)

    def after_a_deleted_stack(self, terminal: Terminal) -> None:
        """The same, of the first stack's own tables, with its name."""
        with step("make the stack anew upon its tables, as the page has it"):
            for block in blocks(PAGE, "After a deleted stack"):
                terminal.type(block)
            self._upon_tables(terminal)
        self._send_again(self.first, terminal)
        for block in blocks(PAGE, "The last step")[2:]:
            terminal.type(block)

    def _terminal(self, name: str) -> Terminal:
        """In a folder with what the page names by its path from the repository."""
        folder = self.first.run_dir.path / "restore" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for link in ("local", "restore.yaml"):
            (folder / link).symlink_to(ROOT / link)
        given = {"STACK_NAME": self.first.deployment.name, "ENVIRONMENT": "local"}
        return Terminal(folder, self.first.emulator.url, **given).beginning(blocks(*BEGIN)[0])

    def _deploy(self, ground: Ground) -> None:
        with step(f"deploy the template over it ({ground.deployment.name})"):
            ground.deploy(ground.run_dir.build)
            self.customers.call(ground)

    def _upon_tables(self, terminal: Terminal) -> None:
        for heading in ("Tables that are there", "The secrets"):
            for block in blocks(PAGE, heading):
                terminal.type(block)

    def _begin_what_does_not_end(self, terminal: Terminal) -> None:
        for block in blocks(PAGE, "Before")[:2]:
            terminal.type(block)
        self.customers.call(self.first)
        until(self.customers.begin(DUE), "retrying")
        self._still("DeliverFunction")
        until(self.customers.begin(UNSENT), "pending")
        terminal.type(blocks(PAGE, "Before")[2])
        self.customers.begin(UNSEEN)

    def _still(self, function: str) -> None:
        calls = self.first.client("lambda")
        for mapping in calls.list_event_source_mappings(FunctionName=self.first.outputs[function])["EventSourceMappings"]:
            calls.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)

    def _all_was_typed(self, terminals: list[Terminal]) -> None:
        typed = "\n".join(file.read_text() for each in terminals for file in each.folder.glob("block-*.sh"))
        if left := [block for block in blocks(PAGE) if block.replace(*RESTORED) not in typed and block not in typed]:
            raise Failed("\n".join([f"these blocks of {PAGE} no walk types:", *left]))

    def _stand_in(self, second: Ground, terminal: Terminal) -> None:
        """The emulator updates a table in place only under the name that it would give it itself, and would make another one
        otherwise. So the restored tables have those names there; a stack that was begun and deleted tells them."""
        cloudformation = second.client("cloudformation")
        name = second.deployment.name
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=(ROOT / "restore.yaml").read_text(),
            Parameters=[{"ParameterKey": "Environment", "ParameterValue": "local"}],
        )
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name)
        described = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        tables = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in described}
        self._delete(second)
        dynamodb = second.client("dynamodb")
        for table in TABLES:
            dynamodb.delete_table(TableName=tables[table])
        (terminal.folder / "restored.json").write_text(json.dumps(tables))

    def _check_what_is_told(self, told: str) -> None:
        """The page's own list of what has not ended: the deliveries of those that have one."""
        listed = {json.loads(line)["event_id"] for line in told.splitlines() if line.startswith("{")}
        expected = {event for way in self.customers.under_way if way.kind is not UNSEEN for event in way.expected}
        if listed != expected:
            raise Failed(f"under way are {sorted(expected)}, and told are {sorted(listed)}: {told}")
        say(f"    told beforehand: {len(listed)} deliveries have not ended, beside events that have none")

    def _send_again(self, ground: Ground, terminal: Terminal) -> None:
        """What had not ended is sent, and nothing else."""
        for way in self.customers.under_way:
            way.mend()
        sent = self.customers.posts()
        self._deploy(ground)
        self._last_step(ground, terminal)
        with step("let all of it end"):
            self._settle(ground)
        self._show(ground, sent, again=self.customers.under_way)

    def _last_step(self, ground: Ground, terminal: Terminal) -> None:
        with step("have fan-out look at each event once more, as the page has it"):
            told = terminal.type(f"SINCE=$(jq -nr 'now - 86400 | todate')\n{blocks(PAGE, 'The last step')[0]}")
            say(f"    {told.strip().splitlines()[-1]}")
            patience = Patience("the queues are to be empty")
            queues = [ground.outputs[name] for name in ("UnfinishedQueue", "ContinuationQueue", "DeliverQueue")]
            while left := sum(ground.waiting(queue) for queue in queues):
                patience.wait(f"{left} messages are left")

    def _settle(self, ground: Ground) -> None:
        patience, loops = Patience("all that was under way is to end"), 0
        while lacking := {way.name: told for way in self.customers.under_way if (told := way.lacking("succeeded"))}:
            if loops % BETWEEN_SWEEPS == 0:
                ground.sweep()
            loops += 1
            patience.wait(str(lacking))

    def _show(self, ground: Ground, sent: dict[str, int], again: list[Way]) -> None:
        """The ledger is as it was but for what is sent again; that was sent, and nothing else."""
        posts, wrong = self.customers.posts(), self.customers.forged()
        more = {name for name, number in posts.items() if number > sent[name]}
        due = {f"{way.name}, {event}" for way in again for event in way.expected}
        if more != due:
            wrong.append(f"sent were {sorted(more - due)}, and were not {sorted(due - more)}")
        under_way = {way.webhook for way in again} | {event for way in again for event in way.expected}
        after = shown(ground.api, self.customers.owners)
        wrong += differences(*(ended(ledger, under_way) for ledger in (self.ledger, after)))
        if wrong:
            raise Failed("\n    ".join([f"{ground.deployment.name} is not what it was:", *wrong]))
        number = sum(posts.values()) - sum(sent.values())
        say(f"    {ground.deployment.name}: the ledger is equal; {len(due)} deliveries were sent, with {number} POSTs")

    def _copy_what_was_lost(self, ground: Ground, terminal: Terminal) -> None:
        """A webhook's row that somebody has removed comes back from a restored table: here that of the first stack, with those
        that the tenant has made there since the export."""
        way = self.customers.ended[0]
        table, partition = ground.outputs["ConfigTable"], f"TENANT#{way.customer.tenant}"
        key = {"pk": {"S": partition}, "sk": {"S": f"WEBHOOK#{way.webhook}"}}
        ground.client("dynamodb").delete_item(TableName=table, Key=key)
        [block] = blocks(PAGE, "Some rows")
        with step("copy back a row that was lost, as the page has it"):
            told = terminal.type(f"RESTORED={self.first.outputs['ConfigTable']} PARTITION={partition}\n{block}")
        made_since = sum(each.customer is way.customer for each in self.customers.under_way)
        if f"{1 + made_since} put" not in told or way.customer.call("GET", f"/v1/webhooks/{way.webhook}")["id"] != way.webhook:
            raise Failed(f"the webhook is not back: {told}")

    def _delete(self, ground: Ground) -> None:
        cloudformation = ground.client("cloudformation")
        cloudformation.delete_stack(StackName=ground.deployment.name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=ground.deployment.name)


def ended(ledger: dict[str, Any], under_way: set[str]) -> dict[str, Any]:
    """What had ended: neither events that were under way, nor their deliveries and webhooks. Where any was, notices were as well:
    they are listed only once fan-out has seen them, and the sweep tells some failures together."""
    return {
        name: told
        for name, told in ledger.items()
        if not {told.get("event_id"), told.get("id")} & under_way and not (under_way and is_notice(told))
    }


def is_notice(told: dict[str, Any]) -> bool:
    """An event of Postrider's own. No customer here asks for them."""
    return str(told.get("event", "")).startswith("webhook.")

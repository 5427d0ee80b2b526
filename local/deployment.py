"""A deployment: the template on the emulator, by `sam deploy` as on AWS, and what came of it."""

from pathlib import Path

from build import cpu_arch, sam
from emulator import REGION, Emulator, client

STACK_NAME = "postrider-local"
# As the template has it for the emulator: what links lead to has to be known before there is an API.
API_ID = "90571de5"
FUNCTIONS = ("webhooks", "tenants", "events", "jobs", "ledger", "catalogue", "reference", "portal", "fanout", "deliver", "sweep")
QUEUES = ("deliver", "retry", "slow", "dead", "quarantine", "unfinished", "continuation", "triggers")
TABLES = ("config", "jobs", "events", "deliveries")


def quoted(text: str) -> str:
    """As SAM CLI reads a value between quotation marks."""
    return '"' + text.replace('"', '\\"') + '"'


class Deployment:
    """The stack's names and addresses, read from its outputs as an operator would read them."""

    def __init__(self, emulator: Emulator, name: str = STACK_NAME) -> None:
        self.emulator = emulator
        self.name = name

    def deploy(self, build: Path, chosen: dict[str, str], *more: str) -> None:
        """What `sam build` has gathered in that folder. `chosen` are parameters of the template, `more` further options."""
        chosen = {"PublicUrl": self.api_url(), **chosen}
        parameters = f"Environment=local CpuArch={cpu_arch()} "
        parameters += " ".join(f"{name}={quoted(value)}" for name, value in chosen.items())
        sam(
            "deploy",
            "--template-file",
            str(build / "template.yaml"),
            "--stack-name",
            self.name,
            "--parameter-overrides",
            parameters,
            *more,
            endpoint_url=self.emulator.url,
        )

    def describe(self) -> dict:
        """The part of stack.json that the stack itself knows."""
        outputs = self.outputs()
        return {
            "api_url": outputs["ApiUrl"],
            "endpoint_url": self.emulator.url,
            "region": REGION,
            "stack": self.name,
            "admin_key": self.secret(outputs["AdminKeySecret"]),
            "functions": self._functions(outputs),
            "queues": {name: outputs[f"{name.capitalize()}Queue"] for name in QUEUES},
            "tables": {name: outputs[f"{name.capitalize()}Table"] for name in TABLES},
            "schedule_group": outputs["ScheduleGroup"],
            "event_bus": outputs["EventBus"],
            "webhook_signing_secret": self.secret(outputs["WebhookSigningSecret"]),
        }

    def _functions(self, outputs: dict[str, str]) -> dict[str, str]:
        """By their names; `ledger` also by the one that it had before."""
        functions = {name: outputs[f"{name.capitalize()}Function"] for name in FUNCTIONS}
        return {**functions, "deliveries": functions["ledger"]}

    def api_url(self, api_id: str = API_ID) -> str:
        """The API by its path: its own host is a name under localhost, which few resolvers know."""
        return f"{self.emulator.url}/_aws/execute-api/{api_id}/$default"

    def secret(self, secret_id: str) -> str:
        return client("secretsmanager", self.emulator.url).get_secret_value(SecretId=secret_id)["SecretString"]

    def outputs(self) -> dict[str, str]:
        stacks = client("cloudformation", self.emulator.url).describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}

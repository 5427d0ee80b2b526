"""A deployment: the template on the emulator, by `sam deploy` as on AWS, and what came of it."""

from urllib.parse import urlsplit

from build import cpu_arch, sam
from emulator import REGION, Emulator, client
from run_dir import RunDir

STACK_NAME = "postrider-local"
FUNCTIONS = ("webhooks", "tenants", "events", "jobs", "ledger", "catalogue", "reference", "fanout", "deliver", "sweep")
QUEUES = ("deliver", "retry", "slow", "dead", "quarantine", "unfinished", "continuation", "triggers")
TABLES = ("config", "jobs", "events", "deliveries")


def quoted(text: str) -> str:
    """As SAM CLI reads a value between quotation marks."""
    return '"' + text.replace('"', '\\"') + '"'


class Deployment:
    """The stack's names and addresses, read from its outputs as an operator would read them."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def deploy(self, run_dir: RunDir, chosen: dict[str, str]) -> None:
        """`chosen` are parameters of the template."""
        parameters = f"Environment=local CpuArch={cpu_arch()} "
        parameters += " ".join(f"{name}={quoted(value)}" for name, value in chosen.items())
        sam(
            "deploy",
            "--template-file",
            str(run_dir.build / "template.yaml"),
            "--stack-name",
            STACK_NAME,
            "--parameter-overrides",
            parameters,
            endpoint_url=self.emulator.url,
        )

    def describe(self) -> dict:
        """The part of stack.json that the stack itself knows."""
        outputs = self._outputs()
        return {
            "api_url": self._api_url(outputs["ApiUrl"]),
            "endpoint_url": self.emulator.url,
            "region": REGION,
            "stack": STACK_NAME,
            "admin_key": self._secret(outputs["AdminKeySecret"]),
            "functions": self._functions(outputs),
            "queues": {name: outputs[f"{name.capitalize()}Queue"] for name in QUEUES},
            "tables": {name: outputs[f"{name.capitalize()}Table"] for name in TABLES},
            "schedule_group": outputs["ScheduleGroup"],
            "event_bus": outputs["EventBus"],
            "webhook_signing_secret": self._secret(outputs["WebhookSigningSecret"]),
        }

    def _functions(self, outputs: dict[str, str]) -> dict[str, str]:
        """By their names; `ledger` also by the one that it had before."""
        functions = {name: outputs[f"{name.capitalize()}Function"] for name in FUNCTIONS}
        return {**functions, "deliveries": functions["ledger"]}

    def _api_url(self, output: str) -> str:
        """The API by its path: the output's host is a name under localhost, which few resolvers know."""
        api_id = urlsplit(output).netloc.split(".")[0]
        return f"{self.emulator.url}/_aws/execute-api/{api_id}/$default"

    def _secret(self, secret_id: str) -> str:
        return client("secretsmanager", self.emulator.url).get_secret_value(SecretId=secret_id)["SecretString"]

    def _outputs(self) -> dict[str, str]:
        stacks = client("cloudformation", self.emulator.url).describe_stacks(StackName=STACK_NAME)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}

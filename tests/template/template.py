"""The template as data: what the checks in this folder ask of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

ROOT = Path(__file__).resolve().parents[2]

# Conditions that hold there unless somebody chooses otherwise.
ALWAYS_ON_AWS = ("OnAws", "TablesAreProtected")
FUNCTIONS = ("webhooks", "tenants", "events", "jobs", "ledger", "catalogue", "reference", "portal", "fanout", "deliver", "sweep")


class Template:
    """template.yaml, read once, with the short ways of asking that the checks need."""

    def __init__(self) -> None:
        self.all = cfn_yaml.load(str(ROOT / "template.yaml"))
        self.text = (ROOT / "template.yaml").read_text()
        self.resources = self.all["Resources"]
        self.globals = self.all["Globals"]["Function"]

    def of_type(self, kind: str) -> dict[str, dict]:
        return {name: r for name, r in self.resources.items() if r["Type"] == kind}

    def properties(self, logical_id: str) -> dict:
        return self.resources[logical_id]["Properties"]

    def function(self, name: str) -> dict:
        """A function's properties, with those that all of them share."""
        return {**self.globals, **self.properties(f"{name.capitalize()}Function"), "Environment": self.environment(name)}

    def environment(self, name: str) -> dict[str, dict]:
        """A function's environment, as SAM puts it together."""
        own = self.properties(f"{name.capitalize()}Function").get("Environment", {"Variables": {}})
        return {"Variables": {**self.globals["Environment"]["Variables"], **own["Variables"]}}

    def mappings(self, function: str) -> dict[str, dict]:
        """The event source mappings of a function, by logical id."""
        target = {"Ref": f"{function.capitalize()}Function"}
        mappings = self.of_type("AWS::Lambda::EventSourceMapping")
        return {name: m["Properties"] for name, m in mappings.items() if on_aws(m["Properties"]["FunctionName"]) == target}

    def statements(self, role: str, *chosen: str) -> list[dict]:
        """What a role allows on AWS, where nothing holds that is there for an emulator alone, if an operator chose these."""
        policies = on_aws(self.properties(role).get("Policies", []), *chosen)
        return [s for policy in policies for s in policy["PolicyDocument"]["Statement"]]

    def roles_that_may(self, action: str, resource: object) -> set[str]:
        """The roles with a statement that allows `action` on `resource`, as the template writes both."""
        return {
            role
            for role in self.of_type("AWS::IAM::Role")
            for s in self.statements(role)
            if action in as_list(s["Action"]) and resource in as_list(s["Resource"])
        }


def as_list(value: Any) -> list:
    return value if isinstance(value, list) else [value]


def on_aws(value: Any, *chosen: str) -> Any:
    """A value as it is on AWS, where of an operator's choices these conditions hold, such as `IsInVpc`."""
    nothing = {"Ref": "AWS::NoValue"}
    if isinstance(value, list):
        return [inner for inner in (on_aws(inner, *chosen) for inner in value) if inner != nothing]
    if isinstance(value, dict):
        if (choice := value.get("Fn::If")) is not None:
            condition, then, otherwise = choice
            return on_aws(then if condition in (*ALWAYS_ON_AWS, *chosen) else otherwise, *chosen)
        return {key: there for key, inner in value.items() if (there := on_aws(inner, *chosen)) != nothing}
    return value


def strings(value: Any) -> Iterator[str]:
    """Every string inside a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def holds(condition: dict, parameters: dict[str, str]) -> bool:
    """Evaluates a condition of the template for given parameters, as CloudFormation would."""
    ((function, arguments),) = condition.items()
    if function == "Fn::Not":
        return not holds(arguments[0], parameters)
    if function == "Fn::Equals":
        left, right = (parameters[a["Ref"]] if isinstance(a, dict) else a for a in arguments)
        return left == right
    raise AssertionError(f"this check cannot evaluate {function}")

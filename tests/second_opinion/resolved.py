"""The template as CloudFormation would deploy it to production: SAM's resources translated, every intrinsic a value.

What the template does not name gets a name as CloudFormation would give it, the same each time."""

import hashlib
import re
from collections.abc import Callable
from typing import Any

from cfnlint.decode import cfn_yaml
from cfnlint.template.transforms._sam import Transform

from run_dir import ROOT

ACCOUNT, REGION, PARTITION = "123456789012", "us-east-1", "aws"
# As long as docs/aws.md lets it be.
STACK = "a-stack-with-a-name-as-long-as-a-function-lets-one-be"
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": PARTITION,
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}
NOTHING = {"Ref": "AWS::NoValue"}
PLACE = re.compile(r"\$\{(!?)([^}]+)\}")
# The attribute of a resource that is its name, where the template may give one.
NAMES = {
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Events::EventBus": "Name",
    "AWS::Scheduler::ScheduleGroup": "Name",
    "AWS::SNS::Topic": "TopicName",
}


def arn(service: str, rest: str) -> str:
    return f"arn:{PARTITION}:{service}:{REGION}:{ACCOUNT}:{rest}"


class Resolved:
    """`parameters` are those of a deployment that differ from the template's defaults."""

    def __init__(self, parameters: dict[str, str] | None = None) -> None:
        path = str(ROOT / "template.yaml")
        transform = Transform(path, cfn_yaml.load(path), REGION)
        if problems := transform.transform_template():
            raise ValueError(f"SAM cannot translate the template: {problems}")
        self._template = transform.template()
        defaults = {name: str(told.get("Default", "")) for name, told in self._template["Parameters"].items()}
        self._parameters = defaults | {"Environment": "prod"} | (parameters or {})
        self._resources = {
            name: resource
            for name, resource in self._template["Resources"].items()
            if "Condition" not in resource or self._holds({"Condition": resource["Condition"]})
        }

    def of_type(self, kind: str) -> dict[str, dict]:
        """Each resource's properties, by its logical id."""
        return {name: self.properties(name) for name, told in self._resources.items() if told["Type"] == kind}

    def named(self) -> list[str]:
        """The logical ids of all that is made."""
        return list(self._resources)

    def properties(self, logical_id: str) -> dict:
        return self.value(self._resources[logical_id].get("Properties", {}))

    def ref(self, logical_id: str) -> str:
        """What `!Ref` of a resource is."""
        kind, name = self._kind(logical_id), self.name(logical_id)
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
        if kind in ("AWS::SecretsManager::Secret", "AWS::SNS::Topic"):
            return self.arn(logical_id)
        return name

    def name(self, logical_id: str) -> str:
        given = self._resources[logical_id].get("Properties", {}).get(NAMES.get(self._kind(logical_id), ""))
        if given is not None:
            return self.value(given)
        suffix = hashlib.sha256(logical_id.encode()).hexdigest()[:12].upper()
        return f"{STACK[:26]}-{logical_id[:24]}-{suffix}"

    def arn(self, logical_id: str) -> str:
        kind, name = self._kind(logical_id), self.name(logical_id)
        makers: dict[str, Callable[[], str]] = {
            "AWS::DynamoDB::Table": lambda: arn("dynamodb", f"table/{name}"),
            "AWS::SQS::Queue": lambda: arn("sqs", name),
            "AWS::SecretsManager::Secret": lambda: arn("secretsmanager", f"secret:{name}-AbCdEf"),
            "AWS::IAM::Role": lambda: f"arn:{PARTITION}:iam::{ACCOUNT}:role/{name}",
            "AWS::Lambda::Function": lambda: arn("lambda", f"function:{name}"),
            "AWS::Logs::LogGroup": lambda: arn("logs", f"log-group:{name}:*"),
            "AWS::Events::EventBus": lambda: arn("events", f"event-bus/{name}"),
            "AWS::Events::Rule": lambda: arn("events", f"rule/{self._bus_of(logical_id)}{name}"),
            "AWS::Scheduler::ScheduleGroup": lambda: arn("scheduler", f"schedule-group/{name}"),
            "AWS::SNS::Topic": lambda: arn("sns", name),
            "AWS::KMS::Key": lambda: arn("kms", f"key/{name}"),
        }
        return makers[kind]()

    def _bus_of(self, rule: str) -> str:
        bus = self.properties(rule).get("EventBusName")
        return f"{bus}/" if bus else ""

    def _kind(self, logical_id: str) -> str:
        return self._resources[logical_id]["Type"]

    def _attribute(self, logical_id: str, attribute: str) -> str:
        match attribute:
            case "Arn":
                return self.arn(logical_id)
            case "Id" if self._kind(logical_id) == "AWS::SecretsManager::Secret":
                return self.arn(logical_id)
            case "QueueName":
                return self.name(logical_id)
            case "StreamArn":
                return f"{self.arn(logical_id)}/stream/2026-01-15T14:30:00.000"
            case "ApiEndpoint":
                return f"https://{self.name(logical_id)}.execute-api.{REGION}.amazonaws.com"
        raise ValueError(f"it is not known what {attribute} of {logical_id} would be")

    def value(self, told: Any) -> Any:
        """A part of the template with every intrinsic resolved, and without what is `AWS::NoValue`."""
        if isinstance(told, list):
            return [self.value(inner) for inner in told if self._chosen(inner) != NOTHING]
        if not isinstance(told, dict):
            return told
        if len(told) == 1:
            ((function, argument),) = told.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._intrinsic(function, argument)
        return {name: self.value(inner) for name, inner in told.items() if self._chosen(inner) != NOTHING}

    def _chosen(self, told: Any) -> Any:
        while isinstance(told, dict) and set(told) == {"Fn::If"}:
            condition, then, otherwise = told["Fn::If"]
            told = then if self._holds({"Condition": condition}) else otherwise
        return told

    def _intrinsic(self, function: str, argument: Any) -> Any:
        match function:
            case "Ref":
                return self._named(argument)
            case "Fn::GetAtt":
                logical_id, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
                return self._attribute(logical_id, attribute)
            case "Fn::If":
                return self.value(self._chosen({function: argument}))
            case "Fn::Sub":
                return self._substituted(argument)
            case "Fn::Join":
                return argument[0].join(self.value(argument[1]))
            case "Fn::Split":
                return self.value(argument[1]).split(argument[0])
        raise ValueError(f"it is not known what {function} would be")

    def _named(self, name: str) -> str:
        if name in PSEUDO:
            return PSEUDO[name]
        return self._parameters[name] if name in self._parameters else self.ref(name)

    def _substituted(self, argument: Any) -> str:
        text, own = (argument[0], self.value(argument[1])) if isinstance(argument, list) else (argument, {})

        def place(found: re.Match) -> str:
            literal, name = found.groups()
            if literal:
                return f"${{{name}}}"
            if name in own:
                return own[name]
            return self._attribute(*name.split(".", 1)) if "." in name else self._named(name)

        return PLACE.sub(place, text)

    def _holds(self, condition: Any) -> bool:
        ((function, argument),) = condition.items()
        match function:
            case "Condition":
                return self._holds(self._template["Conditions"][argument])
            case "Fn::Not":
                return not self._holds(argument[0])
            case "Fn::And":
                return all(self._holds(inner) for inner in argument)
            case "Fn::Or":
                return any(self._holds(inner) for inner in argument)
            case "Fn::Equals":
                left, right = (self.value(side) for side in argument)
                return left == right
        raise ValueError(f"it is not known whether {function} holds")

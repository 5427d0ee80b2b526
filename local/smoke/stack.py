"""A stack as CloudFormation knows it: what it is made of, with which parameters, and what it tells of itself."""

import dataclasses
import datetime
from typing import Any

from botocore.exceptions import ClientError

from step import Failed


@dataclasses.dataclass(frozen=True)
class Resource:
    """A resource: its name in the template, and which it is at AWS."""

    logical: str
    kind: str
    physical: str


class Stack:
    """All of it is read anew at each run, so no list here goes stale."""

    def __init__(self, cloudformation: Any, name: str) -> None:
        self.name = name
        told = self._described(cloudformation)
        self.status: str = told["StackStatus"]
        # When it came to be what it is.
        self.since: datetime.datetime = told.get("LastUpdatedTime") or told["CreationTime"]
        self.outputs: dict[str, str] = {one["OutputKey"]: one["OutputValue"] for one in told.get("Outputs", [])}
        self.parameters: dict[str, str] = {one["ParameterKey"]: one["ParameterValue"] for one in told.get("Parameters", [])}
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        self.resources = [
            Resource(one["LogicalResourceId"], one["ResourceType"], one.get("PhysicalResourceId", ""))
            for page in pages
            for one in page["StackResourceSummaries"]
        ]

    def _described(self, cloudformation: Any) -> dict:
        try:
            return cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            raise Failed(f"there is no stack {self.name} to be seen: {error.response['Error']['Message']}") from None

    def of(self, kind: str) -> list[Resource]:
        """Its resources of a kind, such as `AWS::Lambda::Function`."""
        return [one for one in self.resources if one.kind == kind]

    def called(self, physical: str) -> str:
        """A resource's name in the template, by which one it is at AWS or by its ARN."""
        names = (one.logical for one in self.resources if one.physical and one.physical in (physical, last(physical)))
        return next(names, last(physical))


def last(arn: str) -> str:
    """The name at the end of an ARN."""
    return arn.rsplit(":", 1)[-1].rsplit("/", 1)[-1]


def function_of(arn: str) -> str:
    """A function's name, also where the ARN is an alias's of its, or where it is none of a function."""
    _, is_one, name = arn.partition(":function:")
    return name.split(":")[0] if is_one else last(arn)

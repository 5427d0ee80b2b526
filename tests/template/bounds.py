"""Every bound that there is, by the name that docs/limits.md calls it: in the programs' sources, in what the programs print of
themselves, and in the template. Times are in seconds, sizes in bytes."""

from collections.abc import Iterator
from typing import Any

from constants import constants
from facts import facts
from template import Template, on_aws

# What of a resource's or of the shared function's properties is a bound.
PROPERTIES = {
    "BatchSize",
    "BurstLimit",
    "MaximumBatchingWindowInSeconds",
    "MaximumConcurrency",
    "MaximumEventAgeInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "MemorySize",
    "MessageRetentionPeriod",
    "ParallelizationFactor",
    "ProvisionedConcurrentExecutions",
    "ReservedConcurrentExecutions",
    "ThrottlingBurstLimit",
    "ThrottlingRateLimit",
    "Timeout",
    "VisibilityTimeout",
    "maxReceiveCount",
}
# And of a parameter's; a default only where it is a number.
OF_A_PARAMETER = ("Default", "MinValue", "MaxValue", "MaxLength")
# What `tests/facts` prints for each plan.
BY_PLAN = ("quotas", "event_rates")
# Parameters that count in something else than seconds.
UNITS = {"Days": 86_400, "Minutes": 60}


def bounds() -> dict[str, float]:
    return {**constants(), **printed(), **deployed()}


def printed() -> dict[str, float]:
    """What `tests/facts` prints: limits, and what each plan gives (`quotas.free.webhooks`)."""
    return {
        **facts()["limits"],
        **{
            f"{kind}.{plan}.{name}": value
            for kind in BY_PLAN
            for plan, named in facts()[kind].items()
            for name, value in named.items()
        },
    }


def deployed() -> dict[str, float]:
    """What the template says, as it is on AWS: `DeliverQueue.VisibilityTimeout`, `Globals.Timeout`, `RetentionDays.Default`."""
    template = Template()
    parameters = dict(_parameters(template.all["Parameters"]))
    found = dict(parameters)
    things = {**template.resources, "Globals": {"Properties": template.globals}}
    for name, resource in things.items():
        for key, value in _properties(on_aws(resource.get("Properties", {}))):
            chosen = parameters.get(f"{value['Ref']}.Default") if isinstance(value, dict) else float(value)
            if chosen is None:
                raise ValueError(f"{name}.{key}: {value} is no number")
            found[f"{name}.{key}"] = chosen
    return found


def _parameters(parameters: dict) -> Iterator[tuple[str, float]]:
    for name, parameter in parameters.items():
        unit = next((seconds for word, seconds in UNITS.items() if name.endswith(word)), 1)
        for key in OF_A_PARAMETER:
            value = parameter.get(key)
            if isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
                yield f"{name}.{key}", float(value) * unit


def _properties(value: Any) -> Iterator[tuple[str, Any]]:
    """The bounds inside a resource, however deep, by their own names."""
    if isinstance(value, list):
        for inner in value:
            yield from _properties(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in PROPERTIES:
                yield key, inner
            else:
                yield from _properties(inner)

"""What AWS does in the functions' names, and in the Scheduler's: it needs rights too, although no program of ours calls."""

from collections.abc import Iterator

from resolved import ACCOUNT, REGION, Resolved, arn
from rights import Need, as_list, holds, matches, rights_of

STREAM_READS = ("DescribeStream", "GetRecords", "GetShardIterator")
QUEUE_READS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
LOG_WRITES = ("CreateLogStream", "PutLogEvents")
# For a function in a VPC, before it runs.
INTERFACES = (
    "CreateNetworkInterface",
    "DescribeNetworkInterfaces",
    "DescribeSubnets",
    "DeleteNetworkInterface",
    "AssignPrivateIpAddresses",
    "UnassignPrivateIpAddresses",
)
# Of an operator's key, by a service for whoever calls it. Secrets Manager only opens what it reads.
USES_OF_A_KEY = {
    "dynamodb": (
        "Encrypt",
        "Decrypt",
        "ReEncryptFrom",
        "ReEncryptTo",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "DescribeKey",
    ),
    "secretsmanager": ("Decrypt",),
}
# The methods of our API, which its routes leave to the functions.
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")


class AwsItself:
    """`needs` gives roles with what AWS does by them; `refused` what no policy of a resource's lets AWS do."""

    def __init__(self, resolved: Resolved) -> None:
        self._resolved = resolved
        self._functions = resolved.of_type("AWS::Lambda::Function")
        self._roles = {resolved.arn(name): name for name in resolved.of_type("AWS::IAM::Role")}

    def role_of(self, function: str) -> str:
        """The logical id of a function's role, by the function's."""
        return self.role_at(self._functions[function]["Role"])

    def role_at(self, its_arn: str) -> str:
        return self._roles[its_arn]

    def needs(self) -> Iterator[tuple[str, Need]]:
        names = {properties["FunctionName"]: function for function, properties in self._functions.items()}
        for function, properties in self._functions.items():
            log = properties["LoggingConfig"]["LogGroup"]
            group = next(
                name for name, told in self._resolved.of_type("AWS::Logs::LogGroup").items() if told["LogGroupName"] == log
            )
            stream = self._resolved.arn(group).removesuffix("*") + "log-stream:2026/01/15/[$LATEST]0123456789abcdef"
            yield from ((self.role_of(function), Need(f"logs:{action}", stream)) for action in LOG_WRITES)
            if "VpcConfig" in properties:
                yield from ((self.role_of(function), Need(f"ec2:{action}", "*")) for action in INTERFACES)
        for mapping in self._resolved.of_type("AWS::Lambda::EventSourceMapping").values():
            role = self.role_of(names[mapping["FunctionName"]])
            yield from ((role, need) for need in _of_source(mapping["EventSourceArn"]))
            yield from ((role, need) for need in _of_failure(mapping))
        for config in self._resolved.of_type("AWS::Lambda::EventInvokeConfig").values():
            yield from ((self.role_of(names[config["FunctionName"]]), need) for need in _of_failure(config))
        yield from self._of_keys()

    def _of_keys(self) -> Iterator[tuple[str, Need]]:
        """Of an operator's key, for each role by what it may do with the tables and the secrets that the key encrypts."""
        encrypted = {
            self._resolved.arn(name): told["SSESpecification"].get("KMSMasterKeyId")
            for name, told in self._resolved.of_type("AWS::DynamoDB::Table").items()
        }
        encrypted |= {
            self._resolved.arn(name): told.get("KmsKeyId")
            for name, told in self._resolved.of_type("AWS::SecretsManager::Secret").items()
        }
        used = {
            (right.role, right.action.split(":")[0], key)
            for right in rights_of(self._resolved)
            if (key := encrypted.get(right.resource))
        }
        for role, service, key in sorted(used):
            through = (("kms:ViaService", (f"{service}.{REGION}.amazonaws.com",)),)
            yield from ((role, Need(f"kms:{action}", key, through)) for action in USES_OF_A_KEY[service])

    def scheduled(self, request: dict) -> Iterator[tuple[str, Need]]:
        """What a schedule that was made will need, by the role that it was given."""
        target = request["Target"]
        role = self.role_at(target["RoleArn"])
        yield role, Need("sqs:SendMessage", target["Arn"])
        if "DeadLetterConfig" in target:
            yield role, Need("sqs:SendMessage", target["DeadLetterConfig"]["Arn"])

    def refused(self) -> Iterator[str]:
        """Roles that their service may not take, and what rules and the API may not invoke or send."""
        yield from self._untaken_roles()
        permissions = list(self._resolved.of_type("AWS::Lambda::Permission").values())
        names = {self._resolved.arn(function): told["FunctionName"] for function, told in self._functions.items()}
        for rule, told in self._resolved.of_type("AWS::Events::Rule").items():
            source = self._resolved.arn(rule)
            for target in told["Targets"]:
                if not _may_invoke(permissions, names[target["Arn"]], "events.amazonaws.com", source):
                    yield f"the rule {rule} may not invoke {target['Arn']}"
                queue = target.get("DeadLetterConfig", {}).get("Arn")
                if queue and not self._may_send(queue, "events.amazonaws.com", source):
                    yield f"the rule {rule} may not send to {queue}"
        integrations = self._resolved.of_type("AWS::ApiGatewayV2::Integration")
        leads = {f"integrations/{self._resolved.ref(name)}": names[told["IntegrationUri"]] for name, told in integrations.items()}
        for told in self._resolved.of_type("AWS::ApiGatewayV2::Route").values():
            function = leads[told["Target"]]
            missing = [
                method
                for method, source in _sources(told)
                if not _may_invoke(permissions, function, "apigateway.amazonaws.com", source)
            ]
            if missing:
                yield f"the API may not invoke what {told['RouteKey']} leads to, by {', '.join(missing)}"

    def _untaken_roles(self) -> Iterator[str]:
        (group,) = self._resolved.of_type("AWS::Scheduler::ScheduleGroup")
        account = {"aws:SourceAccount": [ACCOUNT], "aws:SourceArn": [self._resolved.arn(group)]}
        takers = {self.role_of(function): "lambda.amazonaws.com" for function in self._functions}
        for role, told in self._resolved.of_type("AWS::IAM::Role").items():
            service = takers.get(role, "scheduler.amazonaws.com")
            statements = as_list(told["AssumeRolePolicyDocument"]["Statement"])
            if not any(
                one["Effect"] == "Allow"
                and one["Principal"] == {"Service": service}
                and "sts:AssumeRole" in as_list(one["Action"])
                and holds(one.get("Condition", {}), account)
                for one in statements
            ):
                yield f"{service} may not take {role}"

    def _may_send(self, queue: str, service: str, source: str) -> bool:
        context = {"aws:SourceArn": [source], "aws:SecureTransport": ["true"]}
        statements = [
            statement
            for policy in self._resolved.of_type("AWS::SQS::QueuePolicy").values()
            for statement in as_list(policy["PolicyDocument"]["Statement"])
            if {queue, "*"} & set(as_list(statement["Resource"]))
            and any(matches(action, "sqs:SendMessage") for action in as_list(statement["Action"]))
            and statement["Principal"] in ("*", {"Service": service})
            and holds(statement.get("Condition", {}), context)
        ]
        return {statement["Effect"] for statement in statements} == {"Allow"}


def _of_source(source: str) -> Iterator[Need]:
    if source.split(":")[2] == "sqs":
        yield from (Need(f"sqs:{action}", source) for action in QUEUE_READS)
        return
    yield from (Need(f"dynamodb:{action}", source) for action in STREAM_READS)
    # Asked of a table's streams, whichever they are.
    yield Need("dynamodb:ListStreams", source.rsplit("/", 1)[0] + "/*")


def _of_failure(config: dict) -> Iterator[Need]:
    destination = config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination:
        yield Need("sqs:SendMessage", destination)


def _sources(route: dict) -> Iterator[tuple[str, str]]:
    """Each method of a route, with where its calls come from: the stage, the method, and the path as the route's key has it."""
    stage = f"{route['ApiId']}/$default"
    if route["RouteKey"] == "$default":
        yield "$default", arn("execute-api", f"{stage}/$default")
        return
    method, path = route["RouteKey"].split(" ")
    for one in METHODS if method == "ANY" else (method,):
        yield one, arn("execute-api", f"{stage}/{one}{path}")


def _may_invoke(permissions: list[dict], function: str, service: str, source: str) -> bool:
    return any(
        one["Action"] == "lambda:InvokeFunction"
        and one["FunctionName"] == function
        and one["Principal"] == service
        and matches(one["SourceArn"], source)
        for one in permissions
    )

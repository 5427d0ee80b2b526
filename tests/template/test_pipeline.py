"""The policy of docs/deploying-a-release.md lets a pipeline do what CloudFormation does with the template's resources, by its own
schemas, and reaches nothing that is named otherwise."""

import fnmatch
import functools
import json
import re
import unittest
from importlib import resources

import cfnlint.data.schemas.providers
import cfnlint.data.schemas.resources

from pages import pages
from template import Template, as_list, strings

PAGE = "docs/deploying-a-release.md"
REGION, ACCOUNT, STACK = "us-east-1", "123456789012", "postrider"
HERE = f"{REGION}:{ACCOUNT}"
# What the schemas ask for and a resource of ours never does: what is for properties that it has not.
NEVER = {
    "AWS::CodeDeploy::DeploymentGroup": "codedeploy:RegisterOnPremisesInstance",
    "AWS::DynamoDB::Table": "dynamodb:*Item dynamodb:Query dynamodb:Scan dynamodb:*Import* dynamodb:*Replica* dynamodb:*Kinesis* "
    "iam:* kinesis:* s3:* logs:* kms:Encrypt kms:RevokeGrant kms:ListAliases application-autoscaling:*",
    "AWS::Events::EventBus": "kms:*",
    "AWS::IAM::Role": "iam:AttachRolePolicy iam:DetachRolePolicy iam:*PermissionsBoundary",
    "AWS::ApiGatewayV2::Api": "s3:*",
    "AWS::ApiGatewayV2::Integration": "iam:PassRole",
    "AWS::Events::Rule": "iam:PassRole",
    "AWS::Lambda::Function": "elasticfilesystem:* s3files:* kms:*",
    "AWS::Lambda::EventSourceMapping": "kms:*",
    "AWS::Logs::LogGroup": "firehose:* s3:*",
    "AWS::SNS::Subscription": "iam:*",
    "AWS::SNS::Topic": "iam:* sns:Unsubscribe",
    "AWS::SQS::Queue": "sqs:List*",
}
# Actions for which AWS takes no resource by its name: https://docs.aws.amazon.com/service-authorization.
NAMELESS = (
    "lambda:CreateEventSourceMapping kms:CreateKey secretsmanager:GetRandomPassword cloudwatch:DescribeAlarms "
    "logs:DescribeLogGroups logs:*LogDelivery logs:*ResourcePolic* logs:DescribeIndexPolicies sns:Unsubscribe "
    "sns:*SubscriptionAttributes ec2:Describe*"
)
# What our functions have none of, so that nothing is refused where these are.
NOT_OURS = "lambda:GetCodeSigningConfig lambda:GetLayerVersion lambda:PassCapacityProvider"


def matches(action: str, patterns: str) -> bool:
    return any(fnmatch.fnmatchcase(action, pattern) for pattern in patterns.split())


@functools.cache
def policy() -> list[dict]:
    (shown,) = re.findall(r"```json\n(.*?)```", pages()[PAGE], re.DOTALL)
    return json.loads(shown)["Statement"]


@functools.cache
def listed() -> dict[str, str]:
    return json.loads((resources.files(cfnlint.data.schemas.providers) / f"{REGION}.json").read_text())


@functools.cache
def schema(kind: str) -> dict:
    return json.loads((resources.files(cfnlint.data.schemas.resources) / f"{listed()[kind]}.json").read_text())


@functools.cache
def needed(kind: str) -> set[str]:
    """What making, changing and removing a resource of this kind takes."""
    handlers = schema(kind)["handlers"].items()
    asked = {action for name, handler in handlers if name != "list" for action in handler["permissions"]}
    return {action for action in asked if not matches(action, NEVER.get(kind, ""))}


def names(name: str, kind: str, properties: dict) -> list[str]:
    """What a resource, and what belongs to it, is called on AWS in a stack of this name; by what the template calls it."""
    made = f"{STACK}-{name}-1A2B3C4D"
    function = f"arn:aws:lambda:{HERE}:function:{STACK}-deliver"

    def own(key: str) -> str:
        return str(properties.get(key, {}).get("Fn::Sub", made)).replace("${AWS::StackName}", STACK)

    return {
        "AWS::ApiGatewayV2": [
            f"arn:aws:apigateway:{REGION}::{path}" for path in ("/apis", "/apis/a/routes/b", "/domainnames/c", "/tags/d")
        ],
        "AWS::CloudWatch::Alarm": [f"arn:aws:cloudwatch:{HERE}:alarm:{own('AlarmName')}"],
        "AWS::CloudWatch::Dashboard": [f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{STACK}"],
        "AWS::CodeDeploy": [
            f"arn:aws:codedeploy:{HERE}:application:{made}",
            f"arn:aws:codedeploy:{HERE}:deploymentgroup:{made}/{made}",
            f"arn:aws:codedeploy:{HERE}:deploymentconfig:CodeDeployDefault.LambdaCanary10Percent5Minutes",
            f"arn:aws:iam::{ACCOUNT}:role/{made}",
        ],
        "AWS::DynamoDB": [f"arn:aws:dynamodb:{HERE}:table/{made}", f"arn:aws:kms:{HERE}:key/k"],
        "AWS::Events::EventBus": [f"arn:aws:events:{HERE}:event-bus/{STACK}"],
        "AWS::Events::Rule": [f"arn:aws:events:{HERE}:rule/{STACK}/{made}", f"arn:aws:events:{HERE}:rule/{made}"],
        "AWS::IAM": [f"arn:aws:iam::{ACCOUNT}:role/{made}"],
        "AWS::KMS": [f"arn:aws:kms:{HERE}:key/k"],
        "AWS::Lambda": [
            function,
            f"{function}:live",
            f"arn:aws:lambda:{HERE}:event-source-mapping:m",
            f"arn:aws:iam::{ACCOUNT}:role/{made}",
            "arn:aws:s3:::my-releases/postrider/0.2.0/arm64/deliver.zip",
            *(f"arn:aws:codedeploy:{HERE}:{what}" for what in (f"application:{made}", f"deploymentgroup:{made}/{made}")),
            f"arn:aws:codedeploy:{HERE}:deploymentconfig:CodeDeployDefault.LambdaLinear10PercentEvery1Minute",
        ],
        "AWS::Logs": [f"arn:aws:logs:{HERE}:log-group:{own('LogGroupName')}"],
        "AWS::SNS": [f"arn:aws:sns:{HERE}:{STACK}-alarms"],
        "AWS::SQS": [f"arn:aws:sqs:{HERE}:{made}"],
        "AWS::Scheduler": [f"arn:aws:scheduler:{HERE}:schedule-group/{STACK}", f"arn:aws:scheduler:{HERE}:schedule/{STACK}/one"],
        # CloudFormation calls a secret without a name after its logical id alone.
        "AWS::SecretsManager": [f"arn:aws:secretsmanager:{HERE}:secret:{name}-1A2B3C4D"],
    }[next(known for known in (kind, kind.rpartition("::")[0]) if known in KINDS)]


KINDS = {
    "AWS::ApiGatewayV2",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::CodeDeploy",
    "AWS::DynamoDB",
    "AWS::Events::EventBus",
    "AWS::Events::Rule",
    "AWS::IAM",
    "AWS::KMS",
    "AWS::Lambda",
    "AWS::Logs",
    "AWS::SNS",
    "AWS::SQS",
    "AWS::Scheduler",
    "AWS::SecretsManager",
}


def allows(action: str, arn: str) -> bool:
    return any(
        any(fnmatch.fnmatchcase(action, pattern) for pattern in as_list(statement["Action"]))
        and any(fnmatch.fnmatchcase(arn, pattern) for pattern in as_list(statement["Resource"]))
        for statement in policy()
    )


class Pipeline(unittest.TestCase):
    maxDiff = None
    resources = Template().resources

    def test_it_may_do_what_cloudformation_does_with_each_resource(self):
        missing = {}
        for name, resource in self.resources.items():
            kind = resource["Type"].replace("AWS::Serverless::Function", "AWS::Lambda::Function")
            for action in needed(kind):
                if matches(action, NOT_OURS):
                    continue
                service = action.split(":")[0]
                arns = [arn for arn in names(name, kind, resource.get("Properties", {})) if arn.split(":")[2] == service]
                arns = ["any"] if matches(action, NAMELESS) else arns
                if not arns or not any(allows(action, arn) for arn in arns):
                    missing[f"{kind} {action}"] = arns
        self.assertEqual(missing, {})

    def test_every_resource_is_reached_by_its_own_name(self):
        for name, resource in self.resources.items():
            kind = resource["Type"].replace("AWS::Serverless::Function", "AWS::Lambda::Function")
            for arn in names(name, kind, resource.get("Properties", {})):
                service = arn.split(":")[2]
                some = [action for action in needed(kind) if action.startswith(f"{service}:") and not matches(action, NAMELESS)]
                reached = not some or any(allows(action, arn) for action in some)
                self.assertTrue(reached, f"{name}: nothing may be done with {arn}")

    def test_another_stack_is_out_of_reach(self):
        others = (
            f"arn:aws:lambda:{HERE}:function:billing-api",
            f"arn:aws:dynamodb:{HERE}:table/billing-Invoices-1A2B3C4D",
            f"arn:aws:sqs:{HERE}:billing",
            f"arn:aws:iam::{ACCOUNT}:role/billing-ApiRole",
            f"arn:aws:secretsmanager:{HERE}:secret:billing-key",
            f"arn:aws:cloudformation:{HERE}:stack/billing/1",
            "arn:aws:s3:::billing/invoices",
        )
        named = [statement for statement in policy() if statement["Resource"] != "*"]
        for arn in others:
            for pattern in (pattern for statement in named for pattern in as_list(statement["Resource"])):
                self.assertFalse(fnmatch.fnmatchcase(arn, pattern), f"{pattern} reaches {arn}")

    def test_it_reads_no_tenants_data(self):
        table, queue = f"arn:aws:dynamodb:{HERE}:table/{STACK}-EventsTable-1", f"arn:aws:sqs:{HERE}:{STACK}-DeliverQueue-1"
        for action in ("GetItem", "Query", "Scan", "BatchGetItem", "PutItem", "DeleteItem", "ExportTableToPointInTime"):
            self.assertFalse(allows(f"dynamodb:{action}", table), action)
        for action in ("ReceiveMessage", "DeleteMessage", "PurgeQueue", "SendMessage"):
            self.assertFalse(allows(f"sqs:{action}", queue), action)

    def test_a_role_is_given_to_lambda_and_codedeploy_alone(self):
        (passed,) = [statement for statement in policy() if "iam:PassRole" in as_list(statement["Action"])]
        services = {"lambda.amazonaws.com", "codedeploy.amazonaws.com"}
        self.assertEqual(set(passed["Condition"]["StringEquals"]["iam:PassedToService"]), services)
        self.assertTrue(all("iam:*" not in as_list(statement["Action"]) for statement in policy()))

    def test_iam_takes_it(self):
        self.assertLessEqual(len(json.dumps(policy(), separators=(",", ":"))), 6_000, "a managed policy has 6,144 characters")
        used = {action.split(":")[0] for statement in policy() for action in as_list(statement["Action"])}
        kinds = {resource["Type"] for resource in self.resources.values()}
        asked = {action.split(":")[0] for kind in kinds - {"AWS::Serverless::Function"} for action in needed(kind)}
        self.assertLessEqual(used - {"cloudformation", "s3", "ec2"}, asked, "a right that no resource needs")
        self.assertTrue(all(arn == "*" or arn.startswith("arn:aws:") for s in policy() for arn in strings(s["Resource"])))


if __name__ == "__main__":
    unittest.main()

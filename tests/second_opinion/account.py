"""An account in moto, with what the resolved template makes: tables, queues, secrets, the bus, the group of schedules."""

import json
import logging
import random
import string
from typing import Any, Self

import boto3
from moto.server import ThreadedMotoServer

from resolved import REGION, Resolved

TABLE_PROPERTIES = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
LETTERS = string.ascii_letters + string.digits


class Account:
    """Use it in a `with`. `secrets` are moto's ARNs by the template's."""

    def __init__(self, resolved: Resolved) -> None:
        self._resolved = resolved
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._clients: dict[str, Any] = {}
        self.secrets: dict[str, str] = {}

    def __enter__(self) -> Self:
        # Or each request would be a line.
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self._make_tables()
        self._make_queues()
        self._make_secrets()
        for told in self._resolved.of_type("AWS::Scheduler::ScheduleGroup").values():
            self.client("scheduler").create_schedule_group(Name=told["Name"])
        for told in self._resolved.of_type("AWS::Events::EventBus").values():
            self.client("events").create_event_bus(Name=told["Name"])
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def client(self, service: Any) -> Any:
        """One that asks moto itself, past the checkpoint."""
        if service not in self._clients:
            keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
            self._clients[service] = boto3.client(service, endpoint_url=self.url, region_name=REGION, **keys)
        return self._clients[service]

    def secret(self, logical_id: str) -> str:
        arn = self.secrets[self._resolved.arn(logical_id)]
        return self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]

    def _make_tables(self) -> None:
        for name, told in self._resolved.of_type("AWS::DynamoDB::Table").items():
            properties = {key: told[key] for key in TABLE_PROPERTIES if key in told}
            if "StreamSpecification" in told:
                properties["StreamSpecification"] = told["StreamSpecification"] | {"StreamEnabled": True}
            self.client("dynamodb").create_table(TableName=self._resolved.name(name), **properties)

    def _make_queues(self) -> None:
        queues = self._resolved.of_type("AWS::SQS::Queue")
        # Those first that others give up to.
        for name, told in sorted(queues.items(), key=lambda item: "RedrivePolicy" in item[1]):
            attributes = {key: json.dumps(value) if isinstance(value, dict) else str(value) for key, value in told.items()}
            self.client("sqs").create_queue(QueueName=self._resolved.name(name), Attributes=attributes)

    def _make_secrets(self) -> None:
        for name, told in self._resolved.of_type("AWS::SecretsManager::Secret").items():
            wanted = told["GenerateSecretString"]
            password = "".join(random.choices(LETTERS, k=wanted["PasswordLength"]))
            text = password
            if "SecretStringTemplate" in wanted:
                text = json.dumps(json.loads(wanted["SecretStringTemplate"]) | {wanted["GenerateStringKey"]: password})
            made = self.client("secretsmanager").create_secret(Name=self._resolved.name(name), SecretString=text)
            self.secrets[self._resolved.arn(name)] = made["ARN"]

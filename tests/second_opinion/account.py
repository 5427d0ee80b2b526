"""An account in moto, with what the resolved template makes: tables, queues, secrets, the bus, the group of schedules."""

import json
import random
import string
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from aws import client
from emulated import free_port, wait_until_it_listens
from resolved import Resolved

TABLE_PROPERTIES = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
LETTERS = string.ascii_letters + string.digits


class Account:
    """Use it in a `with`. `secrets` are moto's ARNs by the template's. moto has a process of its own, and so a core."""

    def __init__(self, resolved: Resolved, log: Path) -> None:
        self._resolved, self._log = resolved, log
        self._clients: dict[str, Any] = {}
        self.secrets: dict[str, str] = {}

    def __enter__(self) -> Self:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        line = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(line, cwd=self._log.parent, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until_it_listens(self._process, port, self._log)
            self._make_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make_all(self) -> None:
        self._make_tables()
        self._make_queues()
        self._make_secrets()
        for told in self._resolved.of_type("AWS::Scheduler::ScheduleGroup").values():
            self.client("scheduler").create_schedule_group(Name=told["Name"])
        for told in self._resolved.of_type("AWS::Events::EventBus").values():
            self.client("events").create_event_bus(Name=told["Name"])

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def client(self, service: Any) -> Any:
        """One that asks moto itself, past the checkpoint."""
        if service not in self._clients:
            self._clients[service] = client(service, self.url)
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

"""Clients of the emulator, for what the bench itself does there."""

from typing import Any

import boto3
from botocore.config import Config


def client(service: Any, url: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"mode": "standard"}, max_pool_connections=4),
    )

"""A customer's program on the client that was made in Python: register, publish, look up, retry, rotate; and a mistake."""

import json
import os
import sys
import time

from postrider_client import AuthenticatedClient
from postrider_client.api.deliveries import get_delivery, retry_delivery
from postrider_client.api.events import get_event, publish_event
from postrider_client.api.webhooks import create_webhook, get_webhook, rotate_webhook_secret
from postrider_client.models import (
    CreatedWebhook,
    CreateWebhook,
    Delivery,
    DeliveryStatus,
    Event,
    GetWebhookResponse404,
    Nothing,
    PublishEvent,
    PublishEventData,
    RotationRequest,
)

WITHIN = 60


def main() -> None:
    api = AuthenticatedClient(os.environ["API_URL"], os.environ["API_KEY"], raise_on_unexpected_status=True)
    with api as client:
        body = CreateWebhook(url=os.environ["HOOK"], events=["invoice.*"])
        webhook = create_webhook.sync(client=client, body=body)
        assert isinstance(webhook, CreatedWebhook), webhook
        data = PublishEventData.from_dict({"invoice": 4711})
        taken = publish_event.sync(client=client, body=PublishEvent(event="invoice.paid", data=data))
        delivery = delivered(client, first_delivery(client, taken.id), 1)
        assert delivery.webhook_id == webhook.id
        again = retry_delivery.sync(delivery.id, client=client, body=Nothing())
        assert isinstance(again, Delivery), again
        delivered(client, delivery.id, 2)
        rotated = rotate_webhook_secret.sync(webhook.id, client=client, body=RotationRequest(grace_seconds=60))
        assert rotated.secret != webhook.secret
        mistaken = get_webhook.sync("wh_0000000000000000", client=client)
        assert isinstance(mistaken, GetWebhookResponse404) and mistaken.error.code == "not_found", mistaken
    json.dump({"event": taken.id, "secret": webhook.secret, "created_at": webhook.created_at.isoformat()}, sys.stdout)


def first_delivery(client: AuthenticatedClient, event_id: str) -> str:
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        event = get_event.sync(event_id, client=client)
        assert isinstance(event, Event), event
        if event.deliveries:
            return event.deliveries[0].id
        time.sleep(0.1)
    raise TimeoutError(event_id)


def delivered(client: AuthenticatedClient, delivery_id: str, attempts: int) -> Delivery:
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        delivery = get_delivery.sync(delivery_id, client=client)
        assert isinstance(delivery, Delivery), delivery
        if delivery.status == DeliveryStatus.SUCCEEDED and len(delivery.attempts) == attempts:
            return delivery
        time.sleep(0.1)
    raise TimeoutError(delivery_id)


if __name__ == "__main__":
    main()

"""Carries records to destinations, as Lambda does: with the function's role."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.cloud.delivery.records import MessageAttributes
from harness.cloud.ministack_hooks import execution_credentials
from harness.target import Target


@dataclass(frozen=True, slots=True)
class Courier:
    """Sends to destinations with the function's role, through the gate: what the role may not, does not arrive."""

    target: Target

    def send(self, arn: str, body: Any, config: Mapping[str, Any], attributes: MessageAttributes) -> None:
        """Deliver `body` (JSON) to a queue, topic, function or bus.

        Raises:
            ClientError: AWS refused it.
        """
        service, region = arn.split(":")[2:4]
        client = self._client(service, region or self.target.region, json.dumps(execution_credentials(config)))
        text = json.dumps(body)
        if service == "sqs":
            url = client.get_queue_url(QueueName=arn.rsplit(":", 1)[1], QueueOwnerAWSAccountId=arn.split(":")[4])[
                "QueueUrl"
            ]
            client.send_message(QueueUrl=url, MessageBody=text, MessageAttributes=attributes)
        elif service == "sns":
            client.publish(TopicArn=arn, Message=text, MessageAttributes=attributes)
        elif service == "lambda":
            client.invoke(FunctionName=arn, InvocationType="Event", Payload=text.encode())
        elif service == "events":
            outcome = "Success" if body["requestContext"]["condition"] == "Success" else "Failure"
            entry = {
                "Source": "lambda",
                "DetailType": f"Lambda Function Invocation Result - {outcome}",
                "Detail": text,
                "EventBusName": arn,
                "Resources": [body["requestContext"]["functionArn"], arn],
            }
            client.put_events(Entries=[entry])

    @functools.lru_cache(maxsize=64)  # noqa: B019 - one courier a server; clients are costly to make
    def _client(self, service: str, region: str, credentials: str) -> Any:
        return self.target.client(service, region=region, role=json.loads(credentials))

"""Services of which this cloud keeps records only: documents, things, search domains."""

from typing import Any

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}]}


def _document(command: str) -> dict[str, Any]:
    step = {"action": "aws:runShellScript", "name": "run", "inputs": {"runCommand": [command]}}
    return {"schemaVersion": "2.2", "description": "shop", "mainSteps": [step]}


ROWS = {
    "document": ("aws:ssm/document:Document", {
        "content": _document("ls"), "documentType": "Command", "tags": {"a": "b"}}),
    "type": ("aws:iot/thingType:ThingType", {"properties": {"searchableAttributes": ["size"]}}),
    "thing": ("aws:iot/thing:Thing", {"attributes": {"size": "1"}}),
    "may": ("aws:iot/policy:Policy", {"policy": POLICY}),
    "domain": ("aws:opensearch/domain:Domain", {
        "engineVersion": "OpenSearch_2.11", "clusterConfig": {"instanceType": "t3.small.search", "instanceCount": 1},
        "ebsOptions": {"ebsEnabled": True, "volumeSize": 10}, "tags": {"a": "b"}}),
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "document": {"content": _document("pwd"), "tags": {"a": "c"}},
    "thing": {"attributes": {"size": "2"}},
    "may": {"policy": {**POLICY, "Statement": [{**POLICY["Statement"][0], "Resource": "x"}]}},
}


def test_records(lives: Any) -> None:
    lives.run(ROWS, CHANGES)

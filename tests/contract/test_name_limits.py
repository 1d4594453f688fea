"""Automatic names fit: AWS's own limit, where botocore knows it, is not below ours."""

from botocore.session import get_session

from harness.deploy.providers.aws import registry
from harness.deploy.providers.aws.aws_type import AwsType

LONGEST = 255  # of a name that has no rule


def test_no_name_is_longer_than_aws_takes() -> None:
    session, too_long = get_session(), []
    for token, handler in registry().resources.items():
        if not isinstance(handler, AwsType) or not (handler.named and handler.creates):
            continue
        shape = session.get_service_model(handler.service).operation_model(handler.creates).input_shape
        wraps = getattr(handler, "wraps", "")
        members = shape.members[wraps].members if wraps in shape.members else shape.members
        wanted = handler.renames.get(handler.named, handler.named).lower()
        limit = next((one.metadata.get("max") for name, one in members.items() if name.lower() == wanted), None)
        ours = int(handler.name_rules.get("limit", LONGEST))
        if limit is not None and ours > int(limit):
            too_long.append(f"{token}: {ours} > {limit}")
    assert too_long == []

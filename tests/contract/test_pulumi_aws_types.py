"""`types.json` is what the installed pulumi-aws says of every type that we deploy."""

import pytest

from harness.deploy.providers.aws import registry
from harness.deploy.providers.aws.schema.generate import extract, render
from harness.deploy.providers.aws.schema.model import TYPES_FILE


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pulumi-aws's own, at import
def test_the_schemas_are_those_of_the_installed_sdk() -> None:
    """Fails after an upgrade of pulumi-aws: generate the file anew and look at what changed."""
    assert render(extract(registry().resources)) == TYPES_FILE.read_text()

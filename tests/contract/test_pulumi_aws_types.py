"""The files of `schema/types` are what the installed pulumi-aws says of every type that we deploy."""

import pytest

from harness.deploy.providers.aws import registry
from harness.deploy.providers.aws.schema.generate import render_all
from harness.deploy.providers.aws.schema.model import TYPES_FOLDER


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pulumi-aws's own, at import
def test_the_schemas_are_those_of_the_installed_sdk() -> None:
    """Fails after an upgrade of pulumi-aws: generate the files anew and look at what changed."""
    assert render_all(registry().resources) == {path.name: path.read_text() for path in TYPES_FOLDER.glob("*.json")}

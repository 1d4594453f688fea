"""Whole programs that mix AWS with packages that need no plugin: up, up again, changed, refreshed state, destroy."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.deploy import api
from harness.errors import ProgramError

PROGRAM = """
import json, pulumi, pulumi_aws as aws

class Local(pulumi.CustomResource):
    def __init__(self, token, name, outputs, **properties):
        super().__init__(token, name, {**properties, **dict.fromkeys(outputs)})

suffix = Local('random:index/randomId:RandomId', 'suffix', ['hex'], byteLength=4, keepers={'v': '%(keeper)s'})
password = Local('random:index/randomPassword:RandomPassword', 'password', ['result'], length=20)
secret = aws.secretsmanager.Secret('db', name=suffix.hex.apply(lambda text: f'db-{text}'))
aws.secretsmanager.SecretVersion('db', secret_id=secret.id, secret_string=password.result)
key = aws.kms.Key('key', deletion_window_in_days=7)
trust = aws.iam.get_policy_document(statements=[{
    'actions': ['sts:AssumeRole'], 'principals': [{'type': 'Service', 'identifiers': ['lambda.amazonaws.com']}]}])
role = aws.iam.Role('role', assume_role_policy=trust.json)
aws.iam.RolePolicyAttachment('logs', role=role.name,
    policy_arn='arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole')
built = Local('command:local:Command', 'built', ['stdout'],
    create='echo "$AWS_REGION $WHAT"', delete='touch deleted', environment={'WHAT': key.id})
pulumi.export('secret', secret.name)
pulumi.export('password', password.result)
pulumi.export('built', built.stdout)
pulumi.export('account', aws.get_caller_identity().account_id)
"""


@pytest.fixture
def request_for(cloud: Any, tmp_path: Path) -> Any:
    def made(text: str) -> api.DeployRequest:
        folder = tmp_path / "program"
        folder.mkdir(exist_ok=True)
        (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
        (folder / "__main__.py").write_text(text)
        return api.DeployRequest(program=folder, stack="dev", target=cloud.target, state_dir=tmp_path / "state")

    yield made
    cloud.control.reset()


def test_a_program_of_several_packages_lives_as_with_the_real_cli(request_for: Any, cloud: Any) -> None:
    request = request_for(PROGRAM % {"keeper": "1"})
    first = api.up(request)
    assert first.changes == {"create": 8}
    assert first.outputs["password"] == "[secret]"
    assert first.outputs["built"].startswith("us-east-1 ")
    stored = cloud.target.client("secretsmanager").get_secret_value(SecretId=first.outputs["secret"])["SecretString"]
    assert len(stored) == 20
    state = request.state.read_text() + json.dumps(first.outputs)
    assert stored not in state
    again = api.up(request)
    assert again.changes == {"same": 8}
    assert again.outputs == first.outputs
    assert set(api.refresh(request).changes) <= {"refresh", "same"}
    assert api.preview(request).changes == {"same": 8}
    changed = api.up(request_for(PROGRAM % {"keeper": "2"}))
    assert changed.outputs["secret"] != first.outputs["secret"]
    assert changed.changes["replace"] == 3  # the id, the secret that it names, the secret's version
    api.destroy(request)
    assert (request.program / "deleted").exists()
    assert cloud.target.client("iam").list_roles()["Roles"] == []
    left = cloud.target.client("secretsmanager").list_secrets()["SecretList"]
    assert [secret["Name"] for secret in left if not secret.get("DeletedDate")] == []


def test_packages_that_need_a_plugin_are_refused_by_name_before_anything_is_created(request_for: Any) -> None:
    text = (
        "import pulumi, pulumi_aws as aws\naws.sqs.Queue('q')\n"
        "pulumi.CustomResource('eks:index:Cluster', 'c', {})\n"
        "pulumi.CustomResource('gcp:storage/bucket:Bucket', 'b', {})\n"
    )
    request = request_for(text)
    with pytest.raises(ProgramError) as caught:
        api.up(request)
    said = str(caught.value)
    assert "eks:index:Cluster" in said
    assert "no Kubernetes runs here" in said
    assert "the packages built in are archive, aws, command" in said
    assert not request.state.exists()

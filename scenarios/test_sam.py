"""The same API as a template, of SAM and as plain CloudFormation: it is deployed, takes orders, and goes again."""

import io
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

STACK = Path(__file__).parents[1] / "pulumi_stack"
SAM, PLAIN = "orders.yaml", "orders.expanded.yaml"


def zipped_app() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted((STACK / "app").glob("*.py")):
            archive.write(path, path.name)
    return buffer.getvalue()


@contextmanager
def deployed(shop: Any, template: str) -> Iterator[dict[str, str]]:
    """The outputs of a template, deployed as `sam deploy` does it: a change set, executed."""
    name = f"orders-{uuid.uuid4().hex[:8]}"
    s3, formation = shop.aws("s3"), shop.aws("cloudformation")
    s3.create_bucket(Bucket=f"code-{name}")
    s3.put_object(Bucket=f"code-{name}", Key="app.zip", Body=zipped_app())
    given = {"CodeBucket": f"code-{name}", "CodeKey": "app.zip"}
    changes = formation.create_change_set(
        StackName=name,
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody=(STACK / "templates" / template).read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    formation.get_waiter("change_set_create_complete").wait(
        ChangeSetName=changes["Id"], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    formation.execute_change_set(ChangeSetName=changes["Id"])
    formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    found = formation.describe_stacks(StackName=name)["Stacks"][0]
    try:
        yield {"StackName": name, **{one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}}
    finally:
        formation.delete_stack(StackName=name)
        formation.get_waiter("stack_delete_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    s3.delete_object(Bucket=f"code-{name}", Key="app.zip")
    s3.delete_bucket(Bucket=f"code-{name}")


@pytest.fixture
def template(blackstart_stack: Any) -> str:
    """SAM's where the target expands its transform, and what it expands to elsewhere."""
    return SAM if "sam" in blackstart_stack.target.capabilities else PLAIN


def test_the_template_is_the_orders_api(template: str, shop: Any, http: Any) -> None:
    with deployed(shop, template) as made:
        stock = {"sku": {"S": "tea"}, "available": {"N": "5"}}
        shop.aws("dynamodb").put_item(TableName=made["StockTable"], Item=stock)
        url = url_of(shop, made["ApiId"])
        order = {"customer": "ada", "items": [{"sku": "tea", "quantity": 2}]}
        key = {"Idempotency-Key": f"sam-{uuid.uuid4()}"}
        placed = http("POST", f"{url}/orders", order, key)
        assert (placed.status, placed.body.get("status")) == (201, "PLACED"), placed
        assert http("POST", f"{url}/orders", order, key).status == 200
        read = http("GET", f"{url}/orders/{placed.body['order_id']}")
        assert (read.status, read.body.get("status")) == (200, "PLACED"), read
        left = shop.aws("dynamodb").get_item(TableName=made["StockTable"], Key={"sku": {"S": "tea"}})["Item"]
        assert left["available"] == {"N": "3"}
        assert actions_of(shop.aws("iam"), made["ReadRole"]) == ["dynamodb:GetItem"]
    with pytest.raises(ClientError, match="does not exist"):
        shop.aws("cloudformation").describe_stacks(StackName=made["StackName"])
    assert made["StockTable"] not in shop.aws("dynamodb").list_tables()["TableNames"]


def url_of(shop: Any, api: str) -> str:
    """As the shop's own API is reached, with another id: CloudFormation tells a name that only AWS resolves."""
    apis = shop.aws("apigatewayv2").get_apis()["Items"]
    own = next(one["ApiId"] for one in apis if one["ApiId"] in shop.url)
    return str(shop.url).replace(own, api)


def actions_of(iam: Any, role: str) -> list[str]:
    """What a role of the template may do by its own policies."""
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    return [one["Action"] for document in documents for one in document["Statement"]]

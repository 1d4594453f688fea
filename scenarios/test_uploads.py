"""Staff upload a price list: signed URL → S3 → function → catalogue and report, copied to the other region."""

import json
import uuid
from typing import Any

import pytest

pytestmark = [pytest.mark.part("uploads"), pytest.mark.blackstart_covers("execute-api", "lambda", "s3", "dynamodb")]


@pytest.fixture(scope="module")
def staff(shop: Any, accounts: Any) -> dict[str, str]:
    """The header of somebody of the staff."""
    email, password = f"{uuid.uuid4().hex[:12]}@staff.example", f"Aa1{uuid.uuid4().hex}"
    idp = shop.aws("cognito-idp")
    idp.admin_create_user(UserPoolId=accounts.pool, Username=email, MessageAction="SUPPRESS")
    idp.admin_set_user_password(UserPoolId=accounts.pool, Username=email, Password=password, Permanent=True)
    idp.admin_add_user_to_group(UserPoolId=accounts.pool, Username=email, GroupName="staff")
    return {"Authorization": f"Bearer {accounts.sign_in(email, password)['IdToken']}"}


def upload(shop: Any, http: Any, staff: dict[str, str], text: str) -> dict[str, str]:
    """Ask for a URL and put the file there, as a browser does."""
    signed = http("POST", f"{shop.url}/uploads", None, staff)
    assert signed.status == 201
    assert http("PUT", signed.body["url"], text, {"Content-Type": "text/csv"}).status == 200
    found: dict[str, str] = signed.body
    return found


def read(shop: Any, key: str, *, bucket: str = "uploads_bucket", region: str | None = None) -> Any:
    """The object as JSON, None while it is not there."""
    s3 = shop.aws("s3", region=region)
    listed = s3.list_objects_v2(Bucket=shop.outputs[bucket], Prefix=key)
    if not listed["KeyCount"]:
        return None
    return json.load(s3.get_object(Bucket=shop.outputs[bucket], Key=key)["Body"])


def test_a_price_list_becomes_products_and_a_report(shop: Any, http: Any, staff: Any, eventually: Any) -> None:
    one, two = f"bowl-{uuid.uuid4().hex[:8]}", f"bowl-{uuid.uuid4().hex[:8]}"
    rows = [f"{one},Bowl {one},bowls,1200", f"{two},Bowl {two},bowls,free", f"{one},Bowl again,bowls,1"]
    signed = upload(shop, http, staff, "\n".join(["sku,name,category,price_cents", *rows]))
    report = eventually(lambda: read(shop, signed["report"]), within_s=60, what="the report")
    assert [(row["sku"], row["outcome"]) for row in report["rows"]] == [
        (one, "added"),
        (two, "refused"),
        (one, "there before"),
    ]
    key = {"pk": {"S": f"PRODUCT#{one}"}, "sk": {"S": "PRODUCT"}}
    item = shop.aws("dynamodb").get_item(TableName=shop.outputs["catalogue_table"], Key=key, ConsistentRead=True)
    assert item["Item"]["price_cents"]["N"] == "1200"


def test_the_report_is_copied_to_the_other_region(shop: Any, http: Any, staff: Any, eventually: Any) -> None:
    signed = upload(shop, http, staff, "sku,name,category,price_cents\n")
    there = shop.outputs["replica_region"]
    copy = eventually(
        lambda: read(shop, signed["report"], bucket="uploads_replica", region=there), within_s=90, what="the copy"
    )
    assert copy == {"file": signed["key"], "rows": []}
    source = shop.aws("s3").head_object(Bucket=shop.outputs["uploads_bucket"], Key=signed["report"])
    assert source["ReplicationStatus"] == "COMPLETED"


def test_who_is_not_staff_gets_no_url(shop: Any, http: Any, customer: Any) -> None:
    assert http("POST", f"{shop.url}/uploads", None, customer.headers).status == 403
    assert http("POST", f"{shop.url}/uploads").status == 401


@pytest.mark.blackstart_requires("iam")
def test_a_signed_url_is_for_one_file(shop: Any, http: Any, staff: Any) -> None:
    signed = http("POST", f"{shop.url}/uploads", None, staff).body
    other = signed["url"].replace(signed["key"], "incoming/other.csv")
    assert http("PUT", other, "x", {"Content-Type": "text/csv"}).status == 403


@pytest.mark.blackstart_requires("iam")
def test_without_a_signature_nothing_is_read(shop: Any, http: Any, staff: Any) -> None:
    signed = upload(shop, http, staff, "sku,name,category,price_cents\n")
    assert http("GET", signed["url"].partition("?")[0]).status == 403


def test_a_deleted_file_comes_back_from_its_version(shop: Any) -> None:
    s3, bucket, key = shop.aws("s3"), shop.outputs["uploads_bucket"], f"kept/{uuid.uuid4()}"
    first = s3.put_object(Bucket=bucket, Key=key, Body=b"first")["VersionId"]
    s3.put_object(Bucket=bucket, Key=key, Body=b"second")
    marker = s3.delete_object(Bucket=bucket, Key=key)
    assert marker["DeleteMarker"]
    assert s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"] == 0
    s3.delete_object(Bucket=bucket, Key=key, VersionId=marker["VersionId"])  # what a restore is: the marker goes
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"second"
    assert s3.get_object(Bucket=bucket, Key=key, VersionId=first)["Body"].read() == b"first"


@pytest.mark.blackstart_requires("prompt-expiry")
def test_what_a_day_ends_is_gone_and_the_rest_is_kept(shop: Any, eventually: Any) -> None:
    """An export and its old version, and an upload that nobody completed."""
    s3, bucket, mark = shop.aws("s3"), shop.outputs["uploads_bucket"], uuid.uuid4().hex
    export, kept = f"exports/{mark}", f"kept/{mark}"
    old = [s3.put_object(Bucket=bucket, Key=key, Body=b"x")["VersionId"] for key in (export, kept)]
    for key in (export, kept):
        s3.put_object(Bucket=bucket, Key=key, Body=b"y")
    s3.create_multipart_upload(Bucket=bucket, Key=kept)

    def seen(key: str) -> set[str]:
        found = s3.list_object_versions(Bucket=bucket, Prefix=key)
        return {one["VersionId"] for one in found.get("Versions", ())}

    eventually(lambda: old[0] not in seen(export), within_s=60, what="the old version of the export gone")
    eventually(lambda: not s3.list_objects_v2(Bucket=bucket, Prefix=export)["KeyCount"], what="the export gone")
    eventually(
        lambda: not s3.list_multipart_uploads(Bucket=bucket, Prefix=kept).get("Uploads"), what="the upload gone"
    )
    assert old[1] in seen(kept)
    assert s3.get_object(Bucket=bucket, Key=kept)["Body"].read() == b"y"


def test_files_have_a_life_cycle_and_are_encrypted(shop: Any) -> None:
    s3, bucket = shop.aws("s3"), shop.outputs["uploads_bucket"]
    rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert rules["read"]["Expiration"]["Days"] == 30
    assert rules["reports"]["Transitions"] == [{"Days": 90, "StorageClass": "STANDARD_IA"}]
    s3.put_object(Bucket=bucket, Key="kept/secret", Body=b"x")
    assert s3.head_object(Bucket=bucket, Key="kept/secret")["ServerSideEncryption"] == "AES256"

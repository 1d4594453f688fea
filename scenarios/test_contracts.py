"""What the shop's events look like is found on the bus, and holds what is written down in the contract."""

import json
import uuid
from typing import Any

import pytest

pytestmark = [pytest.mark.part("contracts"), pytest.mark.blackstart_covers("schemas", "events", "execute-api")]

FOUND = "discovered-schemas"


def detail_of(content: str) -> dict[str, Any]:
    """The schema of an event's detail in an OpenAPI document."""
    schemas = json.loads(content)["components"]["schemas"]
    named: str = schemas["AWSEvent"]["properties"]["detail"]["$ref"].rpartition("/")[2]
    found: dict[str, Any] = schemas[named]
    return found


def described(schemas: Any, registry: str, name: str, **version: str) -> Any:
    """A schema, None while there is none."""
    try:
        return schemas.describe_schema(RegistryName=registry, SchemaName=name, **version)
    except schemas.exceptions.NotFoundException:
        return None


def test_the_event_of_an_order_is_found_and_keeps_its_contract(shop: Any, eventually: Any) -> None:
    schemas, name = shop.aws("schemas"), shop.outputs["order_placed_schema"]
    shop.place(("tea", 1))
    found = eventually(lambda: described(schemas, FOUND, name), within_s=60, what="the schema of OrderPlaced")
    promised = detail_of(described(schemas, shop.outputs["contracts"], name)["Content"])
    seen = detail_of(found["Content"])["properties"]
    assert {field: seen.get(field) for field in promised["required"]} == promised["properties"]
    hits = schemas.search_schemas(RegistryName=FOUND, Keywords="correlation_id")["Schemas"]
    assert name in {hit["SchemaName"] for hit in hits}


def test_an_event_that_changes_is_a_new_version(shop: Any, eventually: Any) -> None:
    schemas, kind, bus = shop.aws("schemas"), f"Try{uuid.uuid4().hex[:8]}", shop.outputs["bus_name"]
    name = f"scenarios@{kind}"

    def tell(**detail: Any) -> None:
        entry = {"EventBusName": bus, "Source": "scenarios", "DetailType": kind, "Detail": json.dumps(detail)}
        assert shop.aws("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    tell(sku="tea")
    eventually(lambda: described(schemas, FOUND, name), within_s=60, what="the first version")
    tell(sku="tea", cents=350)
    second = eventually(
        lambda: described(schemas, FOUND, name, SchemaVersion="2"), within_s=60, what="the second version"
    )
    assert set(detail_of(second["Content"])["properties"]) == {"sku", "cents"}
    first = described(schemas, FOUND, name, SchemaVersion="1")
    assert set(detail_of(first["Content"])["properties"]) == {"sku"}
    schemas.delete_schema(RegistryName=FOUND, SchemaName=name)

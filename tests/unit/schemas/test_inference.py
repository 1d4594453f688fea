"""Schemas from events, as AWS writes what it discovers."""

from typing import Any

import pytest

from harness.cloud.schemas.inference import ANY, json_schema, merged, openapi, shape_of

ENVELOPE = {
    "version": "0", "id": "1", "source": "shop", "account": "0", "time": "2026-01-01T00:00:00Z", "region": "r",
    "resources": [],
}  # fmt: skip


def placed(**detail: Any) -> dict[str, Any]:
    return {**ENVELOPE, "detail-type": "order placed", "detail": detail}


def test_an_event_is_its_envelope_with_its_detail_in_a_schema_of_its_own() -> None:
    document = openapi([placed(at="2026-01-01T00:00:00Z", address={"zip": "1"}, items=[{"sku": "a", "n": 2}])])
    schemas = document["components"]["schemas"]
    event = schemas["AWSEvent"]
    assert (event["x-amazon-events-source"], event["x-amazon-events-detail-type"]) == ("shop", "order placed")
    assert event["properties"]["detail"] == {"$ref": "#/components/schemas/OrderPlaced"}
    assert schemas["OrderPlaced"] == {
        "type": "object",
        "required": ["address", "at", "items"],
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "address": {"$ref": "#/components/schemas/Address"},
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/ItemsItems"}},
        },
    }
    assert schemas["ItemsItems"]["properties"]["n"] == {"type": "integer", "format": "int64"}


def test_what_one_event_lacks_is_not_required() -> None:
    detail = openapi([placed(a=1, b="x"), placed(a=1.5)])["components"]["schemas"]["OrderPlaced"]
    assert detail["required"] == ["a"]
    assert detail["properties"] == {"a": {"type": "number", "format": "double"}, "b": {"type": "string"}}


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (1, "x", ANY),
        (None, True, {"type": "boolean"}),
        ([], [1], {"type": "array", "items": {"type": "integer", "format": "int64"}}),
        ("2026-01-01T00:00:00Z", "soon", {"type": "string"}),
        ({"a": 1}, [1], ANY),
    ],
)
def test_two_values_have_one_shape_whichever_came_first(one: Any, other: Any, both: Any) -> None:
    assert merged(shape_of(one), shape_of(other)) == merged(shape_of(other), shape_of(one)) == both
    assert merged(both, shape_of(one)) == both  # and it stays: two shapes that take turns make no versions


def test_two_objects_of_one_name_are_two_schemas_unless_they_are_equal() -> None:
    alike = openapi([placed(a={"p": {"x": 1}}, b={"p": {"x": 2}})])["components"]["schemas"]
    other = openapi([placed(a={"p": {"x": 1}}, b={"p": {"y": "z"}})])["components"]["schemas"]
    assert {"P"} == {name for name in alike if name.startswith("P")}
    assert {"P", "P1"} == {name for name in other if name.startswith("P")}


def test_what_has_no_envelope_is_an_event_of_its_own() -> None:
    """The example of AWS's CLI reference for get-discovered-schema."""
    document = openapi([{"Source": "app", "Detail": "{}", "Resources": ["r"]}])
    assert document["info"]["title"] == "Event"
    assert document["components"]["schemas"]["Event"]["properties"] == {
        "Source": {"type": "string"},
        "Detail": {"type": "string"},
        "Resources": {"type": "array", "items": {"type": "string"}},
    }


def test_a_json_schema_refers_to_definitions_and_has_no_formats_of_openapi() -> None:
    found = json_schema(openapi([placed(n=1, address={"zip": "1"})]))
    assert found["$schema"] == "http://json-schema.org/draft-04/schema#"
    assert found["properties"]["detail"] == {"$ref": "#/definitions/OrderPlaced"}
    assert found["definitions"]["OrderPlaced"]["properties"]["n"] == {"type": "integer"}
    assert found["properties"]["time"]["format"] == "date-time"

"""Filter patterns, with AWS's own examples."""

import pytest

from harness.cloud.logs.patterns import PatternError, compile_pattern, value_at

ERROR = "[ERROR 400] BAD REQUEST"
EVENT = """{"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"],
 "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null, "cluster.name": "c",
 "ok": true, "price": 12.5, "code": "404", "nested": {"deep": {"n": -3e2}}}"""
LINE = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("", ERROR, True),
        ("ERROR", ERROR, True),
        ("error", ERROR, False),
        ("ERROR REQUEST", ERROR, True),
        ("ERROR 401", ERROR, False),
        ("?ERROR ?401", ERROR, True),
        ("?WARN ?401", ERROR, False),
        ("?WARN BAD", ERROR, True),  # beside other terms "?" is ignored
        ("ERROR -400", ERROR, False),
        ("ERROR -401", ERROR, True),
        ('"ERROR 400]"', ERROR, True),
        ("%[45]0[04]%", ERROR, True),
        ("%[45]0[1-9]%", ERROR, False),
    ],
)
def test_terms(pattern: str, message: str, expected: bool) -> None:
    assert compile_pattern(pattern).matches(message) is expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ('{ $.eventType = "Update*" }', True),
        ("{ $.eventType = *Trail }", True),
        ('{ $.eventType != "UpdateTrail" }', False),
        ('{ $.sourceIPAddress != "123.123.*" }', True),
        ('{ $.arrayKey[0] = "value" }', True),
        ('{ $.arrayKey[*] = "another value" }', True),
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.price > 12 && $.price <= 12.5 }", True),
        ("{ $.nested.deep.n = -300 }", True),
        ("{ $.nested.deep.n < -3e2 }", False),
        ("{ $.code = 404 }", True),
        ("{ $.ok IS TRUE }", True),
        ("{ $.ok IS FALSE }", False),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.other NOT EXISTS }", True),
        ("{ $.SomeObject NOT EXISTS }", False),
        ('{ $.other != "x" }', False),
        ("{ $.['cluster.name'] = c }", True),
        ("{ $.eventType = %^Up.*il$% }", True),
        ("{ ($.price = 1 || $.price = 12.5) && $.code = 4* }", True),
        ("{ $.price = 1 || $.price = 2 && $.ok IS TRUE }", False),
    ],
)
def test_json(pattern: str, expected: bool) -> None:
    assert compile_pattern(pattern).matches(EVENT) is expected
    assert not compile_pattern(pattern).matches("no JSON")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[ip, id, user, timestamp, request, status_code, bytes]", True),
        ("[ip, id, user, timestamp, request, status_code]", False),
        ("[ip, id, user, timestamp, request, status_code = 4*, bytes]", True),
        ("[ip, id, user, timestamp, request = *html*, status_code = 404 || status_code = 410, bytes]", True),
        ("[..., status_code, bytes > 1000]", True),
        ("[..., status_code, bytes > 2000]", False),
        ("[ip, ..., bytes != 1534]", False),
        ("[ip = %127\\.0\\.0\\.[1-9]%, ...]", True),
    ],
)
def test_space_delimited_fields(pattern: str, expected: bool) -> None:
    assert compile_pattern(pattern).matches(LINE) is expected


def test_fields_of_an_event_can_be_selected() -> None:
    line = compile_pattern("[..., request, status, bytes]").read(LINE)
    assert value_at(line, "$bytes") == "1534"
    assert value_at(line, "$request") == "GET /index.html HTTP/1.0"
    event = compile_pattern("{ $.price > 0 }").read(EVENT)
    assert value_at(event, "$.nested.deep.n") == -300
    assert value_at(event, "$.objectList[0].name") == "a"
    assert value_at(event, "$.missing") is None


@pytest.mark.parametrize(
    "pattern",
    [
        "a:b",
        "{ $.a = 1",
        "{ $.a }",
        "{ a = 1 }",
        "[a, b",
        "{ $.a > x }",
        "{ $.a = 1 & $.b = 2 }",
        "{ $.a IS SO }",
        "%(%",
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)

"""Logs Insights: commands, functions and aggregations over a few events whose figures are known by hand."""

import json
from typing import Any

import pytest

from harness.cloud.logs.insights.rows import Pointer, Stretch, rows
from harness.cloud.logs.insights.stages import prepare
from harness.cloud.logs.insights.syntax import QueryError

START_MS = 1_700_000_040_000  # 22:14:00
ORDERS = [
    {"level": "INFO", "service": "cart", "ms": 10, "user": {"name": "ann", "tags": ["a", "b"]}, "ok": True},
    {"level": "ERROR", "service": "cart", "ms": 30, "code": "E1", "ok": False},
    {"level": "INFO", "service": "pay", "ms": 20, "user": {"name": "bob"}},
    {"level": "ERROR", "service": "pay", "ms": 40, "code": "E2"},
    {"level": "INFO", "service": "pay", "ms": "60"},
]


def ask(query: str, messages: list[Any] | None = None, group: str = "g") -> list[dict[str, str]]:
    """The rows, as mappings; events are ten seconds apart."""
    given = ORDERS if messages is None else messages
    events = [
        {"timestamp": START_MS + n * 10_000, "message": m if isinstance(m, str) else json.dumps(m)}
        for n, m in enumerate(given)
    ]
    found = prepare(query)
    stretch = Stretch(log=f"1:{group}", group=group, stream="s", events=events)
    shown = [dict(found.shown(row)) for row in found.run(rows([stretch], found.fields, any_order=found.any_order))]
    for row in shown:
        row.pop("@ptr", None)
    return shown


def column(query: str, name: str, messages: list[Any] | None = None, group: str = "g") -> list[str]:
    return [row.get(name, "") for row in ask(query, messages, group)]


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('level = "ERROR"', ["40", "30"]),
        ("level != 'ERROR'", ["60", "20", "10"]),
        ("ms > 20", ["60", "40", "30"]),
        ("ms >= 20 and ms < 40", ["20", "30"]),
        ('code = "E1" or code = "E2"', ["40", "30"]),
        ('code != "E1"', ["40"]),  # a missing field is different from nothing
        ('not (code = "E1")', ["60", "40", "20", "10"]),
        ("ispresent(code)", ["40", "30"]),
        ('@message like /"code": "E[12]"/', ["40", "30"]),
        ("service like 'ca'", ["30", "10"]),
        ("service not like /^ca/", ["60", "40", "20"]),
        ("service =~ /(?i)PAY/", ["60", "40", "20"]),
        ('code in ["E1", "E3"]', ["30"]),
        ("ms not in [10, 20]", ["60", "40", "30"]),
        ('user.name = "bob"', ["20"]),
        ('user.tags.1 = "b"', ["10"]),
        ("ok = 1", ["10"]),
        ("strlen(service) = 4 and not ispresent(code)", ["10"]),
        ("ms % 20 = 0 and ms / 2 > 15 or ms ^ 2 = 100", ["60", "40", "10"]),
        ("-ms < -30", ["60", "40"]),
    ],
)
def test_filters(test: str, expected: list[str]) -> None:
    assert column(f"fields ms | filter {test}", "ms") == expected


@pytest.mark.parametrize(
    ("aggregation", "cart", "pay"),
    [
        ("count(*)", "2", "3"),
        ("count(code)", "1", "1"),
        ("count_distinct(level)", "2", "2"),
        ("sum(ms)", "40", "120"),
        ("avg(ms)", "20", "40"),
        ("min(ms)", "10", "20"),
        ("max(ms)", "30", "60"),
        ("stddev(ms)", "14.1421", "20"),
        ("pct(ms, 50)", "20", "40"),
        ("earliest(level)", "INFO", "INFO"),
        ("latest(level)", "ERROR", "INFO"),
        ("sortsFirst(level)", "ERROR", "ERROR"),
        ("sortsLast(level)", "INFO", "INFO"),
        ("max(ms) - min(ms)", "20", "40"),
        ("100 * count(code) / count(*)", "50", "33.3333"),
    ],
)
def test_aggregations(aggregation: str, cart: str, pay: str) -> None:
    assert ask(f"stats {aggregation} as x by service | sort service") == [
        {"service": "cart", "x": cart},
        {"service": "pay", "x": pay},
    ]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("abs(-3)", "3"),
        ("ceil(2.1)", "3"),
        ("floor(2.9)", "2"),
        ("greatest(1, 3, 2)", "3"),
        ("least(1, 3, 2)", "1"),
        ("sqrt(16)", "4"),
        ("log(1)", "0"),
        ("if(ms > 5, 'much', 'little')", "much"),
        ("coalesce(missing, code, 'none')", "none"),
        ("concat(level, '-', ms)", "INFO-10"),
        ("toupper(service)", "CART"),
        ("tolower(level)", "info"),
        ("trim('  a ')", "a"),
        ("substr(service, 1, 2)", "ar"),
        ("replace(service, 'c', 'k')", "kart"),
        ("strcontains(service, 'ar')", "1"),
        ("isempty(missing)", "1"),
        ("isblank('  ')", "1"),
        ("datefloor(@timestamp, 1h)", "2023-11-14 22:00:00.000"),
        ("dateceil(@timestamp, 1h)", "2023-11-14 23:00:00.000"),
        ("toMillis(@timestamp)", str(START_MS)),
        ("fromMillis(0)", "1970-01-01 00:00:00.000"),
        ("isValidIpv4('10.0.0.1')", "1"),
        ("isIpv4InSubnet('10.0.0.1', '10.0.0.0/8')", "1"),
        ("1 / 0", ""),
        ("2 + 3 * 4 - 1", "13"),
        ("(2 + 3) * 4", "20"),
        ("missing + 1", ""),
    ],
)
def test_functions(call: str, expected: str) -> None:
    assert column(f"fields {call} as x | sort @timestamp | limit 1", "x") == [expected]


def test_bins_come_latest_first_and_columns_have_the_names_of_the_query() -> None:
    assert ask("stats count(*), avg(ms) by bin(30s)") == [
        {"bin(30s)": "2023-11-14 22:14:30.000", "count(*)": "2", "avg(ms)": "50"},
        {"bin(30s)": "2023-11-14 22:14:00.000", "count(*)": "3", "avg(ms)": "20"},
    ]
    assert ask("stats max(n) by level | sort level", [{"level": 1, "n": 2}]) == [{"level": "1", "max(n)": "2"}]


def test_a_second_stats_sees_what_the_first_made() -> None:
    query = "stats count(*) as n by service, level | stats max(n) as most, count(*) as groups"
    assert ask(query) == [{"most": "2", "groups": "4"}]


def test_sort_limit_dedup_and_display() -> None:
    assert column("fields ms | sort service desc, ms asc", "ms") == ["20", "40", "60", "10", "30"]
    assert column("fields service | dedup service", "service") == ["pay", "cart"]
    assert column("fields ms | limit 2", "ms") == ["60", "40"]
    assert column("stats count(*) by service | sort count(*) desc | limit 1", "service") == ["pay"]
    assert ask("fields ms, service | display ms * 2 as twice | limit 1") == [{"twice": "120"}]
    assert ask("filter ms = 10")[0].keys() == {"@timestamp", "@message"}


def test_parse_with_wildcards_and_with_a_regular_expression() -> None:
    lines = ["user=ann, method:GET took 12 ms", "nothing"]
    query = "parse @message 'user=*, method:* took * ms' as who, @method, took"
    query += " | filter took > 1 | display who, @method, took"
    assert ask(query, lines) == [{"who": "ann", "@method": "GET", "took": "12"}]
    query = r"parse @message /user=(?<who>\w+).* (?<took>\d+) ms/ | stats sum(took) by who | sort who"
    assert ask(query, lines) == [{}, {"who": "ann", "sum(took)": "12"}]


def test_lambda_lines_have_lambda_fields_and_the_json_they_end_with() -> None:
    lines = [
        'INFO order {"id": "o1", "n": 2}',
        "REPORT RequestId: r\tDuration: 12.5 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB",
    ]
    query = 'filter @type = "REPORT" | stats max(@duration), avg(@billedDuration), max(@maxMemoryUsed) by @requestId'
    assert ask(query, lines, "/aws/lambda/f") == [
        {
            "@requestId": "r",
            "max(@duration)": "12.5",
            "avg(@billedDuration)": "13",
            "max(@maxMemoryUsed)": "40000000",
        }
    ]
    assert column("filter n = 2 | display id", "id", lines, "/aws/lambda/f") == ["o1"]
    assert column("filter n = 2 | display id", "id", lines, "g") == []


def test_comments_and_several_lines() -> None:
    assert column("# all of it\nfields ms # the time\n  | filter level='ERROR' |\n limit 1", "ms") == ["40"]


@pytest.mark.parametrize(
    ("query", "at", "said"),
    [
        ("", 0, "empty"),
        ("fields a | count(*)", 11, "a command is one of"),
        ("fields a | filter (a = 1", 24, "unexpected symbol"),
        ("fields a,, b", 9, "unexpected symbol found , at line 1 and position 9"),
        ("stats foo(a)", 6, "no aggregation"),
        ("filter foo(a) = 1", 7, "foo is unknown"),
        ("filter count(a) = 1", 7, "belongs in stats"),
        ("fields strlen(a, b)", 7, "2 arguments"),
        ("pattern @message", 0, "pattern is not supported"),
        ("parse @message '*-*' as a", 15, "2 wildcards"),
        ("fields a | limit x", 17, "unexpected symbol"),
        ("stats count(*) by bin(x)", 18, "bin takes a period"),
        ("filter a like /(/", 14, "invalid regular expression"),
    ],
)
def test_a_malformed_query_says_what_and_where(query: str, at: int, said: str) -> None:
    with pytest.raises(QueryError, match=said.replace("(", "\\(")) as caught:
        prepare(query)
    assert caught.value.start == at


def test_a_pointer_comes_back_as_it_went() -> None:
    pointer = Pointer("g", "s", 12, "message é")
    assert Pointer.decoded(pointer.encoded()) == pointer

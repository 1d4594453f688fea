"""Execution environments: real processes, real awslambdaric, AWS's words for everything that goes wrong."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from harness.cloud.faults import Dose, FaultRule, FunctionError, HttpResponse, Latency, Selector
from harness.cloud.functions.provisioned import ProvisionedConcurrency, Wanted
from harness.cloud.functions.spec import read_spec
from tests.waiting import awaited

ECHO = "def handler(event, context):\n    return event\n"
WHERE = (
    "import os\nCOUNT = 0\n"
    "def handler(event, context):\n    global COUNT\n    COUNT += 1\n"
    "    return {'pid': os.getpid(), 'n': COUNT, 'app': os.environ['AWS_SDK_UA_APP_ID']}\n"
)


def test_the_event_comes_back_and_the_second_call_is_warm(aws_lambda: Any) -> None:
    function = aws_lambda.function(WHERE, subnets=["subnet-a"])
    first, second = aws_lambda.call(function)["body"], aws_lambda.call(function)["body"]
    assert (first["n"], second["n"]) == (1, 2)
    assert first["pid"] == second["pid"] != os.getpid()
    assert aws_lambda.call(aws_lambda.function(ECHO, FunctionName="echo"), {"ä": [1, None]})["body"] == {
        "ä": [1, None]
    }


def test_a_large_event_and_answer_pass_whole(aws_lambda: Any) -> None:
    event = {"data": "x" * 3_000_000}
    assert aws_lambda.call(aws_lambda.function(ECHO), event)["body"] == event


def test_the_context_is_as_on_aws(aws_lambda: Any) -> None:
    code = (
        "def handler(event, c):\n    return [c.function_name, c.function_version, c.invoked_function_arn,"
        " c.memory_limit_in_mb, c.log_group_name,"
        " 0 < c.get_remaining_time_in_millis() <= 60000, len(c.aws_request_id)]\n"
    )
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    assert aws_lambda.call(aws_lambda.function(code))["body"] == [
        "f",
        "$LATEST",
        arn,
        "128",
        "/aws/lambda/f",
        True,
        36,
    ]


def test_an_exception_has_its_own_type_message_and_stack(aws_lambda: Any) -> None:
    code = "class OutOfStock(Exception): pass\ndef handler(e, c):\n    raise OutOfStock('no tea')\n"
    result = aws_lambda.call(aws_lambda.function(code))
    assert result["error"] is True
    assert result["body"]["errorType"] == "OutOfStock"
    assert result["body"]["errorMessage"] == "no tea"
    assert "line 3, in handler" in result["body"]["stackTrace"][0]


def test_the_environment_survives_a_handlers_exception(aws_lambda: Any) -> None:
    code = "n = 0\ndef handler(e, c):\n    global n\n    n += 1\n    if n == 1: raise ValueError('x')\n    return n\n"
    function = aws_lambda.function(code, subnets=["subnet-a"])
    assert aws_lambda.call(function)["error"] is True
    assert aws_lambda.call(function)["body"] == 2


def test_a_timeout_ends_the_environment(aws_lambda: Any) -> None:
    code = "import time\ndef handler(e, c):\n    time.sleep(30)\n"
    began = time.monotonic()
    result = aws_lambda.call(aws_lambda.function(code, Timeout=1))
    assert time.monotonic() - began >= 1.0
    assert result["body"]["errorType"] == "Sandbox.Timedout"
    assert result["body"]["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert "Status: timeout" in aws_lambda.report()
    assert aws_lambda.pool.environments() == []


def test_too_much_memory_kills_the_runtime(aws_lambda: Any) -> None:
    code = "import time\ndef handler(e, c):\n    x = bytearray(200 << 20)\n    time.sleep(1)\n    return len(x)\n"
    result = aws_lambda.call(aws_lambda.function(code, MemorySize=128))
    assert result["body"]["errorType"] == "Runtime.ExitError"
    assert result["body"]["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert aws_lambda.call(aws_lambda.function(code, MemorySize=512))["body"] == 200 << 20


def test_a_runtime_that_exits_says_how(aws_lambda: Any) -> None:
    code = "import os\ndef handler(e, c):\n    os._exit(3)\n"
    result = aws_lambda.call(aws_lambda.function(code))
    assert result["body"]["errorType"] == "Runtime.ExitError"
    assert result["body"]["errorMessage"].endswith("Runtime exited with error: exit status 3")


@pytest.mark.parametrize(
    ("code", "handler", "error_type"),
    [
        ("import nowhere\n", "index.handler", "Runtime.ImportModuleError"),
        ("x = 1\n", "index.handler", "Runtime.HandlerNotFound"),
        ("def handler(:\n", "index.handler", "Runtime.UserCodeSyntaxError"),
    ],
)
def test_an_init_error_has_awss_type(aws_lambda: Any, code: str, handler: str, error_type: str) -> None:
    result = aws_lambda.call(aws_lambda.function(code, Handler=handler))
    assert result["body"]["errorType"] == error_type


def test_a_handler_sees_its_zip_its_layers_and_the_runtime_and_nothing_of_ours(aws_lambda: Any) -> None:
    aws_lambda.add_layer("layer-arn", {"python/shared.py": "VALUE = 7\n"})
    code = (
        "import importlib.util, boto3, shared\n"
        "def handler(e, c):\n"
        "    found = [m for m in ('ministack', 'harness', 'pydantic', 'pulumi', 'locust', 'pytest')"
        " if importlib.util.find_spec(m)]\n"
        "    return [shared.VALUE, bool(boto3.__version__), found]\n"
    )
    function = aws_lambda.function(code, Layers=[{"Arn": "layer-arn"}])
    assert aws_lambda.call(function)["body"] == [7, True, []]


def test_a_handler_that_prints_more_than_its_pipe_holds_is_heard_whole(aws_lambda: Any) -> None:
    code = "def handler(e, c):\n    for n in range(4000):\n        print(n, 'x' * 200)\n"
    aws_lambda.call(aws_lambda.function(code))
    printed = [line for line in aws_lambda.emulator.logged if line.endswith("x")]
    assert [line.split(" ")[0] for line in printed] == [str(n) for n in range(4000)]


def test_the_log_has_the_platforms_lines_with_measured_numbers(aws_lambda: Any) -> None:
    code = "import sys\ndef handler(e, c):\n    print('out')\n    print('err', file=sys.stderr)\n"
    function = aws_lambda.function(code, subnets=["subnet-a"])
    result = aws_lambda.call(function)
    kinds = [line.split(" ")[0].split("\t")[0] for line in aws_lambda.emulator.logged]
    assert kinds == ["INIT_START", "START", "out", "err", "END", "REPORT"]
    assert "Init Duration: " in aws_lambda.report()
    assert 10 < int(aws_lambda.report().split("Max Memory Used: ")[1].split(" ")[0]) < 128
    assert "out\nerr" in result["log"]
    aws_lambda.call(function)
    assert "Init Duration" not in aws_lambda.report()


def test_new_code_gets_new_environments(aws_lambda: Any) -> None:
    assert aws_lambda.call(aws_lambda.function("def handler(e, c): return 1\n", CodeSha256="a"))["body"] == 1
    assert aws_lambda.call(aws_lambda.function("def handler(e, c): return 2\n", CodeSha256="b"))["body"] == 2


def test_invocations_are_spread_over_the_zones(aws_lambda: Any) -> None:
    function = aws_lambda.function(WHERE)
    zones = {aws_lambda.call(function)["body"]["app"].split(".")[1] for _ in range(6)}
    assert zones == {"use1-az1", "use1-az2", "use1-az3"}
    assert len(aws_lambda.pool.environments()) == 3


def test_a_vpc_function_stays_in_its_subnets(aws_lambda: Any) -> None:
    function = aws_lambda.function(WHERE, subnets=["subnet-c", "subnet-a"])
    zones = {aws_lambda.call(function)["body"]["app"].split(".")[1] for _ in range(4)}
    assert zones == {"use1-az1", "use1-az3"}
    assert {e["subnet"] for e in aws_lambda.pool.environments()} == {"subnet-a", "subnet-c"}


def test_a_lost_zone_kills_in_flight_and_is_avoided_once_noticed(aws_lambda: Any, tmp_path: Path) -> None:
    code = (
        "import time, os\ndef handler(e, c):\n    while 'until' in e and not os.path.exists(e['until']):\n"
        "        time.sleep(0.01)\n    return os.environ['AWS_SDK_UA_APP_ID']\n"
    )
    function = aws_lambda.function(code, subnets=["subnet-a", "subnet-b"])
    for _ in range(2):
        aws_lambda.call(function)
    pending = [aws_lambda.call_in_background(function, {"until": str(tmp_path / "end")}) for _ in range(2)]
    awaited(lambda: sum(e["busy"] for e in aws_lambda.pool.environments()) == 2)
    zone_b = aws_lambda.zones.find("us-east-1b")
    assert aws_lambda.zones.cut_power(zone_b, owner="EXP1") == 1
    (tmp_path / "end").touch()
    outcomes = [result() for result in pending]
    lost = [o for o in outcomes if o.get("error")]
    assert len(lost) == 1
    assert lost[0]["body"]["errorType"] == "ServiceException"
    assert lost[0]["body"]["statusCode"] == 503
    killed = [e for e in aws_lambda.evidence.since(owner="EXP1") if e.kind == "environment_killed"]
    assert [(e.detail["zone"], e.detail["in_flight"]) for e in killed] == [("use1-az2", True)]
    time.sleep(0.35)
    assert all(".use1-az1." in aws_lambda.call(function)["body"] for _ in range(4))
    aws_lambda.zones.restore_power(zone_b, owner="EXP1")
    assert {aws_lambda.call(function)["body"].split(".")[1] for _ in range(4)} == {"use1-az1", "use1-az2"}


@pytest.mark.parametrize("aws_lambda", [60.0], indirect=True, ids=["noticed after a minute"])
def test_before_it_is_noticed_a_lost_zone_fails_its_share_of_calls(aws_lambda: Any) -> None:
    function = aws_lambda.function(ECHO, subnets=["subnet-a", "subnet-b"])
    aws_lambda.zones.cut_power(aws_lambda.zones.find("use1-az2"), owner="x")
    assert sorted("error" in aws_lambda.call(function) for _ in range(2)) == [False, True]


def test_a_function_with_all_zones_dark_fails_every_call(aws_lambda: Any) -> None:
    function = aws_lambda.function(ECHO, subnets=["subnet-b"])
    aws_lambda.zones.cut_power(aws_lambda.zones.find("use1-az2"), owner="x")
    time.sleep(0.35)
    results = [aws_lambda.call(function) for _ in range(3)]
    assert all(r["body"]["errorType"] == "ServiceException" for r in results)


def rule(effect: Any, **dose: Any) -> FaultRule:
    selector = Selector(layer="invocation", service="lambda", resource="arn:*:function:f")
    return FaultRule(id="r", owner="x", selector=selector, effect=effect, dose=Dose(**dose))


def test_injected_errors_happen_before_or_after_the_handler(aws_lambda: Any) -> None:
    code = "n = 0\ndef handler(e, c):\n    global n\n    n += 1\n    return n\n"
    function = aws_lambda.function(code, subnets=["subnet-a"])
    aws_lambda.rules.put(rule(FunctionError(prevent_execution=True)))
    assert aws_lambda.call(function)["body"]["errorType"] == "FaultInjectionError"
    aws_lambda.rules.remove(owner="x")
    assert aws_lambda.call(function)["body"] == 1
    aws_lambda.rules.put(rule(FunctionError(prevent_execution=False)))
    assert aws_lambda.call(function)["error"] is True
    aws_lambda.rules.remove(owner="x")
    assert aws_lambda.call(function)["body"] == 3


def test_injected_latency_and_responses(aws_lambda: Any) -> None:
    function = aws_lambda.function(ECHO)
    aws_lambda.call(function)
    aws_lambda.rules.put(rule(Latency(delay_s=0.3)))
    began = time.monotonic()
    aws_lambda.call(function)
    assert time.monotonic() - began >= 0.3
    aws_lambda.rules.put(rule(HttpResponse(status=418)))
    assert aws_lambda.call(function)["body"]["statusCode"] == 418


def test_environments_know_their_caller(aws_lambda: Any) -> None:
    app_id = aws_lambda.call(aws_lambda.function(WHERE, subnets=["subnet-b"]))["body"]["app"]
    caller = aws_lambda.pool.caller(app_id)
    assert (caller.zone_id, caller.subnet_id, caller.function) == ("use1-az2", "subnet-b", "f")
    assert aws_lambda.pool.caller("somebody") is None
    assert aws_lambda.pool.caller("bs.use1-az2.ffffffffffff") is None


def test_provisioned_environments_wait_initialised_come_first_and_are_replaced(aws_lambda: Any) -> None:
    code = "import os\ndef handler(e, c):\n    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
    function = aws_lambda.function(code, subnets=["subnet-a", "subnet-b"], Version="7")
    spec, wanted = read_spec(function), []
    keeper = ProvisionedConcurrency(aws_lambda.pool, lambda: list(wanted))
    pool = aws_lambda.pool
    wanted.append(Wanted(spec=spec, record=function, count=2))
    keeper.look_again()
    awaited(lambda: keeper.allotment(spec.fingerprint, 2).available == 2)
    assert len(pool.environments()) == 2
    for _ in range(3):  # whichever zone is asked for, no other environment is started
        result = pool.execute(function, {})
        assert result["body"] == "provisioned-concurrency"
        assert (result["provision"].spilled, result["provision"].busy) == (False, 1)
    (zone,) = {z for z in aws_lambda.zones.zones if z.name == "us-east-1a"}
    aws_lambda.zones.cut_power(zone, owner="test")
    awaited(lambda: keeper.allotment(spec.fingerprint, 2).available == 2)
    assert {one["zone"] for one in pool.environments()} == {"use1-az2"}
    wanted.clear()
    keeper.look_again()
    awaited(lambda: pool.provisioned(spec.fingerprint) == 0)
    broken = aws_lambda.function("raise RuntimeError('no tariffs')\n", FunctionName="broken", Version="1")
    wanted.append(Wanted(spec=read_spec(broken), record=broken, count=1))
    keeper.look_again()
    awaited(lambda: "no tariffs" in keeper.allotment(read_spec(broken).fingerprint, 1).failure)
    keeper.close()


def test_what_a_service_hands_over_gives_way_to_what_somebody_waits_for(aws_lambda: Any) -> None:
    code = "import os\ndef handler(event, context):\n    return [os.getpriority(os.PRIO_PROCESS, 0), os.getsid(0)]\n"
    usual, session = os.getpriority(os.PRIO_PROCESS, 0), os.getsid(0)
    direct = aws_lambda.call(aws_lambda.function(code, FunctionName="direct"))["body"]
    polled = aws_lambda.function(code, FunctionName="polled")
    records = {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}
    assert (direct, aws_lambda.call(polled, records)["body"]) == ([usual, session], [10, session])

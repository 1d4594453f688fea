"""Provisioned concurrency in the emulator: its three operations and the list, and whose environments are wanted.

ministack keeps what was asked for and calls it allocated. Here the answer is what there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.cloud.functions.pool import FunctionPool
from harness.cloud.functions.provisioned import ProvisionedConcurrency, Wanted
from harness.cloud.functions.spec import read_spec
from harness.cloud.ministack_hooks import before_first_call

Record = dict[str, Any]
Answer = Any  # ministack's (status, headers, body)


def install(pool: FunctionPool) -> ProvisionedConcurrency:
    """Keep what is asked for from now on, in `pool`."""
    keeper = ProvisionedConcurrency(pool, _everything_wanted)
    before_first_call("lambda", lambda: _answer_from(keeper))
    return keeper


def _answer_from(keeper: ProvisionedConcurrency) -> None:
    from ministack.services import lambda_svc

    put, get = lambda_svc._put_provisioned_concurrency, lambda_svc._get_provisioned_concurrency  # noqa: SLF001
    delete = lambda_svc._delete_provisioned_concurrency  # noqa: SLF001

    def asked(name: str, qualifier: str | None, data: Record) -> Answer:
        refusal = _refusal(name, qualifier, data)
        if refusal:
            return lambda_svc.error_response_json("InvalidParameterValueException", refusal, 400)
        answer = put(name, qualifier, data)
        keeper.look_again()
        return _told(answer, name, qualifier)

    def told(name: str, qualifier: str | None) -> Answer:
        if not qualifier and name in lambda_svc._functions:  # noqa: SLF001 - ?List=ALL
            kept = lambda_svc._functions[name].get("provisioned_concurrency", {})  # noqa: SLF001
            arn = lambda_svc._func_arn(name)  # noqa: SLF001
            listed = [{"FunctionArn": f"{arn}:{one}", **_state(keeper, name, one)} for one in kept]
            return lambda_svc.json_response({"ProvisionedConcurrencyConfigs": listed})
        return _told(get(name, qualifier), name, qualifier)

    def ended(name: str, qualifier: str | None) -> Answer:
        answer = delete(name, qualifier)
        keeper.look_again()
        return answer

    def _told(answer: Answer, name: str, qualifier: str | None) -> Answer:
        status = answer[0]
        return lambda_svc.json_response(_state(keeper, name, str(qualifier)), status) if status < 300 else answer

    lambda_svc._put_provisioned_concurrency = asked  # noqa: SLF001
    lambda_svc._get_provisioned_concurrency = told  # noqa: SLF001
    lambda_svc._delete_provisioned_concurrency = ended  # noqa: SLF001


def _refusal(name: str, qualifier: str | None, data: Mapping[str, Any]) -> str:
    """Why AWS takes no such wish, '' when it does."""
    from ministack.services import lambda_svc

    function = lambda_svc._functions.get(name) or {}  # noqa: SLF001
    alias = function.get("aliases", {}).get(qualifier, {})
    if not qualifier or qualifier == "$LATEST" or alias.get("FunctionVersion") == "$LATEST":
        return "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    count, reserved = int(data.get("ProvisionedConcurrentExecutions", 0)), function.get("concurrency")
    if count < 1:
        return "ProvisionedConcurrentExecutions must be at least 1."
    if reserved is not None and count > int(reserved):
        subject = "Requested Provisioned Concurrency"
        return f"{subject} should not be greater than the reservedConcurrentExecution for function"
    return ""


def _state(keeper: ProvisionedConcurrency, name: str, qualifier: str) -> Record:
    """A configuration as AWS tells it: what was asked for, and what there is."""
    from ministack.services import lambda_svc

    function = lambda_svc._functions[name]  # noqa: SLF001
    kept = function["provisioned_concurrency"][qualifier]
    found = [(one, keeper.allotment(one.spec.fingerprint, one.count)) for one in _wanted(function, qualifier)]
    available, requested = sum(a.available for _, a in found), kept["RequestedProvisionedConcurrentExecutions"]
    failure = next((allotment.failure for _, allotment in found if allotment.failure), "")
    status = "READY" if available >= requested else "FAILED" if failure else "IN_PROGRESS"
    return {
        "RequestedProvisionedConcurrentExecutions": requested,
        "AvailableProvisionedConcurrentExecutions": available,
        "AllocatedProvisionedConcurrentExecutions": available,
        "Status": status,
        **({"StatusReason": failure} if status == "FAILED" else {}),
        "LastModified": kept["LastModified"],
    }


def _everything_wanted() -> Iterator[Wanted]:
    from ministack.services import lambda_svc

    for _, function in lambda_svc._functions.all_items():  # noqa: SLF001
        for qualifier in list(function.get("provisioned_concurrency") or ()):
            yield from _wanted(function, qualifier)


def _wanted(function: Record, qualifier: str) -> list[Wanted]:
    """The versions behind a qualifier, each with its share: an alias divides as its weights do."""
    from ministack.services import lambda_svc

    alias = function.get("aliases", {}).get(qualifier) or {}
    weights: Mapping[str, float] = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    kept = (function.get("provisioned_concurrency") or {}).get(qualifier) or {}
    whole = int(kept.get("RequestedProvisionedConcurrentExecutions", 0))
    shares = {version: round(whole * float(weight)) for version, weight in weights.items()}
    main = str(alias.get("FunctionVersion", qualifier))
    shares[main] = whole - sum(shares.values())
    found = []
    for version, count in shares.items():
        stored, config = lambda_svc._effective_func_record_for_qualifier(function, version)  # noqa: SLF001
        if stored and config and count:
            record = lambda_svc._execution_record_for_config(stored, config)  # noqa: SLF001
            found.append(Wanted(spec=read_spec(record), record=record, count=count))
    return found

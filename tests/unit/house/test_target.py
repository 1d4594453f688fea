"""The guard in front of real AWS, and that a target is never remembered."""

import json
from pathlib import Path

import pytest

from harness import target as target_module
from harness.errors import NotReadyError, RefusedError, UsageError
from harness.stack import RunningStack, child_environment, load, save
from harness.target import endpoint_target, real_aws


@pytest.fixture(autouse=True)
def no_sts(monkeypatch: pytest.MonkeyPatch) -> None:
    """STS answers as account 111122223333; anything that asks the real one would be a defect."""
    monkeypatch.setattr(target_module, "_account_by_sts", lambda _region: "111122223333")


def test_real_aws_without_consent_is_refused_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_module, "_account_by_sts", lambda _region: pytest.fail("asked STS"))
    with pytest.raises(RefusedError, match="consent") as caught:
        real_aws(allowed_accounts=["111122223333"], regions=["us-east-1"], consent=False)
    assert caught.value.exit_code == 3


def test_an_empty_allow_list_is_refused() -> None:
    with pytest.raises(RefusedError, match="no account is allowed"):
        real_aws(allowed_accounts=[], regions=["us-east-1"], consent=True)


def test_an_account_outside_the_allow_list_is_refused() -> None:
    with pytest.raises(RefusedError, match="111122223333 is not on the allow-list"):
        real_aws(allowed_accounts=["999999999999"], regions=["us-east-1"], consent=True)


def test_an_allowed_account_with_consent_is_a_target_without_endpoint() -> None:
    target = real_aws(allowed_accounts=["111122223333"], regions=["eu-west-1"], consent=True)
    assert (target.kind, target.endpoint, target.account_id) == ("aws", None, "111122223333")


@pytest.mark.parametrize(
    "url",
    ["https://sqs.us-east-1.amazonaws.com", "https://x.amazonaws.com.cn", "https://AMAZONAWS.COM.amazonaws.com"],
)
def test_an_aws_host_is_no_endpoint(url: str) -> None:
    with pytest.raises(RefusedError, match="real AWS"):
        endpoint_target(url, regions=["us-east-1"])


@pytest.mark.parametrize("url", ["", "127.0.0.1:4566", "ftp://127.0.0.1", "http://"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="not an endpoint URL"):
        endpoint_target(url, regions=["us-east-1"])


def test_a_client_talks_to_the_targets_endpoint() -> None:
    target = endpoint_target("http://127.0.0.1:9", regions=["us-east-1"])
    assert target.client("sqs").meta.endpoint_url == "http://127.0.0.1:9"
    assert target.client("sqs", region="us-west-2").meta.region_name == "us-west-2"


def test_secrets_do_not_show_in_the_repr() -> None:
    shown = repr(endpoint_target("http://127.0.0.1:9", regions=["us-east-1"]))
    assert "secret_key" not in shown
    assert "access_key" not in shown


def test_a_stack_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    target = endpoint_target("http://127.0.0.1:9", regions=["us-east-1"])
    stack = RunningStack(name="dev", target=target, outputs={"url": "u", "n": 1, "nested": {"a": [1]}})
    save(stack, tmp_path / "stack.json")
    assert load(tmp_path / "stack.json") == stack
    assert (tmp_path / "stack.json").stat().st_mode & 0o077 == 0


def test_of_real_aws_nothing_is_stored_but_the_account_which_is_confirmed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = real_aws(allowed_accounts=["111122223333"], regions=["eu-west-1"], consent=True)
    stack = RunningStack(name="prod", target=target, outputs={"url": "u"})
    path = tmp_path / "stack.json"
    save(stack, path)
    assert json.loads(path.read_text())["target"] == {
        "kind": "aws", "account_id": "111122223333", "regions": ["eu-west-1"],
    }  # fmt: skip
    with pytest.raises(RefusedError, match="consent"):
        load(path)
    for name, value in child_environment(path).items():
        monkeypatch.setenv(name, value)
    assert load(path) == stack
    monkeypatch.setattr("harness.target._account_by_sts", lambda _region: "999999999999")
    with pytest.raises(RefusedError, match="999999999999 is not on the allow-list"):
        load(path)


def test_a_missing_or_broken_stack_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="blackstart up"):
        load(tmp_path / "stack.json")
    (tmp_path / "stack.json").write_text('{"name": 1}')
    with pytest.raises(NotReadyError, match="not a stack file"):
        load(tmp_path / "stack.json")

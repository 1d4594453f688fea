"""The life cycle of a bucket, decided on versions that are written down here. A day takes ten seconds."""

from __future__ import annotations

from typing import Any

import pytest

from harness.cloud.expiry.rules import SMALLEST_MOVED_BYTES, Calendar, Deed, Version, abandoned, due

DAY_S = 10.0
LARGE = SMALLEST_MOVED_BYTES


def rule(**actions: Any) -> dict[str, Any]:
    return {"Status": "Enabled", "Filter": {}, **actions}


def version(number: int, modified_s: float, **more: Any) -> Version:
    return Version(id=f"v{number}", modified_s=modified_s, **more)


def deeds(rules: list[dict[str, Any]], versions: list[Version], now_s: float, key: str = "a/b") -> list[str]:
    def shown(deed: Deed) -> str:
        return " ".join(filter(None, (deed.kind, deed.version.id or "it", deed.to)))

    return sorted(shown(deed) for deed in due(rules, key, versions, Calendar(now_s, DAY_S)))


def test_an_object_expires_at_the_midnight_after_its_days() -> None:
    rules, versions = [rule(Expiration={"Days": 1})], [version(1, 3.0)]
    assert deeds(rules, versions, 19.9) == []  # 3 s and a day are 13 s: the next midnight is at 20 s
    assert deeds(rules, versions, 20.0) == ["expire v1"]
    assert deeds(rules, [Version(id=None, modified_s=3.0)], 20.0) == ["delete it"]


def test_a_date_is_a_date() -> None:
    rules = [rule(Expiration={"Date": "1970-01-02T00:00:00Z"})]
    assert (deeds(rules, [version(1, 0.0)], 86_399.0), deeds(rules, [version(1, 0.0)], 86_400.0)) == (
        [],
        ["expire v1"],
    )


def test_old_versions_go_so_long_after_they_were_superseded_and_the_newest_of_them_are_kept() -> None:
    versions = [version(1, 0.0), version(2, 5.0), version(3, 50.0), version(4, 60.0)]
    rules = [rule(NoncurrentVersionExpiration={"NoncurrentDays": 1})]
    assert deeds(rules, versions, 20.0 + 40) == ["delete v1", "delete v2"]  # v2 since 50 s: at 60 s
    assert deeds(rules, versions, 59.0) == ["delete v1"]
    kept = [rule(NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 2})]
    assert deeds(kept, versions, 1e6) == ["delete v1"]


def test_a_delete_marker_that_hides_nothing_goes_and_no_other_does() -> None:
    marker = version(2, 0.0, is_marker=True)
    for expiration in ({"ExpiredObjectDeleteMarker": True}, {"Days": 1}):
        assert deeds([rule(Expiration=expiration)], [marker], 10.0) == ["delete v2"]
        assert deeds([rule(Expiration=expiration)], [version(1, 0.0), marker], 10.0) == []
    assert deeds([rule(Expiration={"Days": 1})], [marker], 9.0) == []


def test_an_object_moves_to_the_coldest_class_that_is_due_and_never_back() -> None:
    moves = [{"Days": 1, "StorageClass": "STANDARD_IA"}, {"Days": 3, "StorageClass": "GLACIER"}]
    rules = [rule(Transitions=moves)]
    large = version(1, 0.0, size=LARGE)
    assert deeds(rules, [large], 9.0) == []
    assert deeds(rules, [large], 10.0) == ["move v1 STANDARD_IA"]
    assert deeds(rules, [large], 30.0) == ["move v1 GLACIER"]
    assert deeds(rules, [version(1, 0.0, size=LARGE, storage_class="DEEP_ARCHIVE")], 30.0) == []
    assert deeds(rules, [version(1, 0.0, size=LARGE - 1)], 30.0) == []
    named = [rule(Transitions=moves, Filter={"ObjectSizeGreaterThan": 0})]
    assert deeds(named, [version(1, 0.0, size=1)], 30.0) == ["move v1 GLACIER"]
    old = [rule(NoncurrentVersionTransitions=[{"NoncurrentDays": 1, "StorageClass": "GLACIER_IR"}])]
    assert deeds(old, [large, version(2, 0.0)], 10.0) == ["move v1 GLACIER_IR"]


def test_deleting_for_good_comes_before_moving_and_moving_before_a_marker() -> None:
    move = {"Transitions": [{"Days": 1, "StorageClass": "GLACIER"}], "Expiration": {"Days": 1}}
    assert deeds([rule(**move)], [version(1, 0.0, size=LARGE)], 10.0) == ["move v1 GLACIER"]
    assert deeds([rule(**move)], [Version(id=None, modified_s=0.0, size=LARGE)], 10.0) == ["delete it"]


@pytest.mark.parametrize(
    ("selection", "selected"),
    [
        ({"Filter": {"Prefix": "a/"}}, True),
        ({"Filter": {"Prefix": "b/"}}, False),
        ({"Prefix": "b/"}, False),
        ({"Status": "Disabled"}, False),
        ({"Filter": {"Tag": {"Key": "kind", "Value": "draft"}}}, True),
        ({"Filter": {"Tag": {"Key": "kind", "Value": "final"}}}, False),
        ({"Filter": {"ObjectSizeGreaterThan": 6}}, True),
        ({"Filter": {"ObjectSizeGreaterThan": 7}}, False),
        ({"Filter": {"ObjectSizeLessThan": 7}}, False),
        ({"Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "kind", "Value": "draft"}]}}}, True),
        ({"Filter": {"And": {"Prefix": "b/", "Tags": [{"Key": "kind", "Value": "draft"}]}}}, False),
    ],
)
def test_a_rule_is_about_what_its_filter_selects(selection: dict[str, Any], selected: bool) -> None:
    versions = [version(1, 0.0, size=7, tags={"kind": "draft"})]
    assert bool(deeds([rule(Expiration={"Days": 1}, **selection)], versions, 10.0)) is selected


def test_an_upload_that_was_never_completed_is_aborted() -> None:
    rules = [rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 2}, Filter={"Prefix": "a/"})]
    found = [abandoned(rules, key, 1.0, Calendar(now_s, DAY_S)) for key, now_s in (("a/b", 29.0), ("a/b", 30.0))]
    assert (found, abandoned(rules, "b/a", 1.0, Calendar(99.0, DAY_S))) == ([False, True], False)

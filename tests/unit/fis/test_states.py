"""Experiments and actions in time: every state they pass through, and the ends they come to."""

from typing import Any

import pytest

from chaos.fis.actions.wait import Wait
from chaos.fis.actions.zone_power import InterruptPower
from chaos.fis.errors import ConflictException, ServiceQuotaExceededException

FUNCTIONS = {
    "fns": {"resourceType": "aws:lambda:function", "resourceTags": {"role": "fulfil"}, "selectionMode": "ALL"}
}


def wait(duration: str, *after: str) -> dict[str, Any]:
    return {"actionId": "aws:fis:wait", "parameters": {"duration": duration}, "startAfter": list(after)}


def power(duration: str = "PT10M", *after: str) -> dict[str, Any]:
    parameters = {"duration": duration, "availabilityZoneIdentifier": "use1-az2"}
    return {"actionId": "blackstart:az:interrupt-power", "parameters": parameters, "startAfter": list(after)}


def fail(duration: str = "PT5M") -> dict[str, Any]:
    parameters = {"duration": duration, "preventExecution": "true"}
    return {"actionId": "aws:lambda:invocation-error", "parameters": parameters, "targets": {"Functions": "fns"}}


def test_an_action_begins_when_all_that_it_waits_for_have_ended(bench: Any, run: Any) -> None:
    async def story() -> None:
        actions = {"a": wait("PT1M"), "b": wait("PT3M"), "c": wait("PT1M", "a", "b")}
        experiment = await bench.start(actions)
        assert bench.states(experiment) == {"experiment": "running", "a": "running", "b": "running", "c": "pending"}
        await bench.clock.pass_s(61)
        assert bench.states(experiment) == {"experiment": "running", "a": "completed", "b": "running", "c": "pending"}
        await bench.clock.pass_s(120)
        assert bench.states(experiment)["c"] == "running"
        await bench.clock.pass_s(60)
        assert set(bench.states(experiment).values()) == {"completed"}
        shown = bench.region.experiment(experiment).shown()
        assert shown["actions"]["c"]["startTime"] - shown["startTime"] == pytest.approx(180)
        assert shown["endTime"] - shown["startTime"] == pytest.approx(240)

    run(story())


def test_a_follower_begins_after_the_post_action(bench: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, list[str]]] = []
    monkeypatch.setattr(Wait, "inject", lambda _self, work: seen.append(work.doors.zones.dark()))

    async def story() -> None:
        experiment = await bench.start({"dark": power("PT1M"), "after": wait("PT1M", "dark")})
        assert bench.region.doors.zones.dark() == {"use1-az2": [experiment]}
        await bench.clock.pass_s(60)
        assert seen == [{}]

    run(story())


def test_stop_heals_what_runs_and_cancels_what_waits(bench: Any, run: Any) -> None:
    async def story() -> None:
        experiment = await bench.start({"dark": power(), "fail": fail(), "later": wait("PT1M", "dark")}, FUNCTIONS)
        assert bench.region.doors.faults.reports()
        stopped = await bench.call("StopExperiment", id=experiment)
        assert stopped["experiment"]["state"]["status"] == "stopping"
        expected = {"experiment": "stopped", "dark": "stopped", "fail": "stopped", "later": "cancelled"}
        assert bench.states(experiment) == expected
        assert bench.region.doors.zones.dark() == {}
        assert bench.region.doors.faults.reports() == []
        again = await bench.call("StopExperiment", id=experiment)
        assert again["experiment"]["state"] == {"status": "stopped", "reason": "Experiment stopped by user."}

    run(story())


def test_an_action_that_fails_fails_the_experiment_and_heals_the_others(bench: Any, run: Any) -> None:
    async def story() -> None:
        lost = power()
        lost["parameters"]["availabilityZoneIdentifier"] = "use9-az9"
        experiment = await bench.start({"fail": fail(), "lost": lost}, FUNCTIONS)
        await bench.clock.pass_s(0)
        assert bench.states(experiment) == {"experiment": "failed", "fail": "stopped", "lost": "failed"}
        error = bench.region.experiment(experiment).shown()["state"]["error"]
        assert error == {"accountId": "000000000000", "code": "ConfigurationFailure", "location": "lost"}
        assert bench.region.doors.faults.reports() == []

    run(story())


def test_a_heal_that_breaks_still_ends_the_experiment_with_nothing_in_force(
    bench: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(InterruptPower, "heal", broken)

    async def story() -> None:
        experiment = await bench.start({"dark": power(), "fail": fail()}, FUNCTIONS)
        await bench.call("StopExperiment", id=experiment)
        assert bench.states(experiment) == {"experiment": "stopped", "dark": "failed", "fail": "stopped"}
        assert bench.region.doors.zones.dark() == {}
        assert bench.region.doors.faults.reports() == []

    run(story())


def test_rules_outlive_their_lease_only_while_the_experiment_lives(bench: Any, run: Any) -> None:
    async def story() -> None:
        experiment = await bench.start({"fail": fail("PT5M")}, FUNCTIONS)
        await bench.clock.pass_s(60)
        assert bench.region.doors.faults.reports(owner=experiment)
        bench.clock.at_s += 11  # nobody renews, as when the process hangs
        assert bench.region.doors.faults.reports(owner=experiment) == []
        await bench.call("StopExperiment", id=experiment)

    run(story())


def test_the_lever_stops_what_runs_and_cancels_what_starts(bench: Any, run: Any) -> None:
    async def story() -> None:
        experiment = await bench.start({"dark": power()})
        lever = await bench.call("UpdateSafetyLeverState", id="default", state={"status": "engaged", "reason": "r"})
        assert lever["safetyLever"]["state"] == {"status": "engaged", "reason": "r"}
        assert bench.states(experiment) == {"experiment": "stopped", "dark": "stopped"}
        other = await bench.start({"dark": power()})
        assert bench.states(other) == {"experiment": "cancelled", "dark": "cancelled"}
        assert bench.region.doors.zones.dark() == {}
        await bench.call("UpdateSafetyLeverState", id="default", state={"status": "disengaged", "reason": "r"})
        assert bench.states(await bench.start({"a": wait("PT1M")}))["experiment"] == "running"

    run(story())


def test_state_changes_are_events_with_the_state_before(bench: Any, run: Any) -> None:
    async def story() -> None:
        experiment = await bench.start({"a": wait("PT1M")})
        await bench.clock.pass_s(60)
        changes = [(e["detail"]["old-state"]["status"], e["detail"]["new-state"]["status"]) for e in bench.published]
        assert changes == [("pending", "initiating"), ("initiating", "running"), ("running", "completed")]
        assert {e["detail_type"] for e in bench.published} == {"FIS Experiment State Change"}
        assert bench.published[0]["resources"] == [bench.region.experiment(experiment).arn]

    run(story())


def test_quotas_are_402(bench: Any, run: Any) -> None:
    async def story() -> None:
        for _ in range(5):
            await bench.start({"a": wait("PT1M")})
        with pytest.raises(ServiceQuotaExceededException) as caught:
            await bench.start({"a": wait("PT1M")})
        assert caught.value.status == 402
        with pytest.raises(ServiceQuotaExceededException, match="20 actions"):
            await bench.start({f"a{n}": wait("PT1M") for n in range(21)})
        await bench.clock.pass_s(60)
        await bench.start({"a": wait("PT1M")})

    run(story())


def test_a_token_starts_one_experiment_and_no_other(bench: Any, run: Any) -> None:
    async def story() -> None:
        experiment = await bench.start({"a": wait("PT1M")})
        template = bench.region.experiment(experiment).template["id"]
        one = await bench.call("StartExperiment", experimentTemplateId=template, clientToken="t")
        two = await bench.call("StartExperiment", experimentTemplateId=template, clientToken="t")
        assert one["experiment"]["id"] == two["experiment"]["id"]
        with pytest.raises(ConflictException):
            await bench.call("StartExperiment", experimentTemplateId=template, clientToken="t", tags={"a": "b"})

    run(story())

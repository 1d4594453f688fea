"""A load balancer in zones: nodes and targets are lost with a zone, noticed, shifted away from."""

import http.client
from collections.abc import Callable

from chaos.fis.role import stand_in
from tests.integration.load_balancing.conftest import Front, Web, to
from tests.waiting import awaited

Webs = Callable[[str], Web]
OWNER = "test"
ROLE = "arn:aws:iam::000000000000:role/fis"


def spread(front: Front, webs: Webs) -> tuple[str, dict[str, Web]]:
    """A group with one target in each zone."""
    group, made = front.group(), {letter: webs(letter) for letter in "abc"}
    front.listen(to(group))
    for letter, web in made.items():
        front.register(group, web, f"us-east-1{letter}")
    front.healthy(group, *made.values())
    return group, made


def test_a_target_keeps_to_its_zone_where_crossing_is_off(front: Front, webs: Webs) -> None:
    group, made = spread(front, webs)
    off = [{"Key": "load_balancing.cross_zone.enabled", "Value": "false"}]
    front.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=off)
    made["b"].health = 500
    awaited(lambda: front.states(group)[made["b"].port] == "unhealthy")
    assert {front.get()[1] for _ in range(9)} == {"a GET /", "c GET /"}


def test_the_node_of_a_dark_zone_breaks_its_connections_and_is_left_out_once_noticed(
    front: Front, webs: Webs
) -> None:
    spread(front, webs)
    host, port = front.dns.split(":")
    kept = [http.client.HTTPConnection(host, int(port), timeout=60) for _ in range(3)]
    for connection in kept:
        connection.request("GET", "/")
        connection.getresponse().read()
    front.cloud.control.cut_power("use1-az2", owner=OWNER)
    broken = 0
    for connection in kept:
        connection.auto_open = 0
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            broken += 1
        connection.close()
    assert broken == 1
    awaited(lambda: all(_answered(front) for _ in range(6)))


def _answered(front: Front) -> bool:
    try:
        return front.get()[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def test_a_zonal_shift_takes_a_zones_targets_out_until_it_is_cancelled(front: Front, webs: Webs) -> None:
    spread(front, webs)
    arc = front.cloud.target.client("arc-zonal-shift")
    on = [{"Key": "zonal_shift.config.enabled", "Value": "true"}]
    front.elb.modify_load_balancer_attributes(LoadBalancerArn=front.arn, Attributes=on)
    assert arc.get_managed_resource(resourceIdentifier=front.arn)["appliedWeights"] == {
        "use1-az1": 1.0, "use1-az2": 1.0, "use1-az3": 1.0,
    }  # fmt: skip
    shift = arc.start_zonal_shift(resourceIdentifier=front.arn, awayFrom="use1-az3", expiresIn="1h", comment="drill")
    assert shift["status"] == "ACTIVE"
    assert {front.get()[1] for _ in range(9)} == {"a GET /", "b GET /"}
    assert arc.get_managed_resource(resourceIdentifier=front.arn)["appliedWeights"]["use1-az3"] == 0.0
    arc.cancel_zonal_shift(zonalShiftId=shift["zonalShiftId"])
    assert {front.get()[1] for _ in range(9)} == {"a GET /", "b GET /", "c GET /"}


def test_fis_shifts_a_zone_away_while_its_experiment_runs(front: Front, webs: Webs) -> None:
    spread(front, webs)
    on = [{"Key": "zonal_shift.config.enabled", "Value": "true"}]
    front.elb.modify_load_balancer_attributes(LoadBalancerArn=front.arn, Attributes=on)
    stand_in(front.cloud.target, ROLE)
    fis = front.cloud.target.client("fis")
    template = fis.create_experiment_template(
        description="d",
        roleArn=ROLE,
        stopConditions=[{"source": "none"}],
        targets={
            "t": {
                "resourceType": "aws:arc:zonal-shift-managed-resource",
                "resourceArns": [front.arn],
                "selectionMode": "ALL",
            }
        },
        actions={
            "a": {
                "actionId": "aws:arc:start-zonal-autoshift",
                "parameters": {
                    "duration": "PT10M",
                    "availabilityZoneIdentifier": "us-east-1a",
                    "managedResourceTypes": "ALB",
                },
                "targets": {"ManagedResources": "t"},
            }
        },
    )["experimentTemplate"]["id"]
    experiment = fis.start_experiment(experimentTemplateId=template)["experiment"]["id"]
    assert awaited(lambda: {front.get()[1] for _ in range(9)} == {"b GET /", "c GET /"})
    fis.stop_experiment(id=experiment)
    assert awaited(lambda: {front.get()[1] for _ in range(9)} == {"a GET /", "b GET /", "c GET /"})

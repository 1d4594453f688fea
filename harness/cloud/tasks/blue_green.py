"""ECS's own blue/green deployments: two target groups, all traffic shifted at once, and back at once.

The new tasks come up beside the old ones in the other target group. When all are healthy the production rule sends
everything there; the old tasks stay for the bake time, so that a ringing alarm costs one change of a rule. Who starts
a deployment while another is under way stops that one: the visitors stay where they are by then, the other tasks end,
and the new ones come up in their target group. Sources:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-blue-green.html,
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html (STOP_REQUESTED)
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from harness.cloud.tasks import deployments
from harness.cloud.tasks.emulated import Record
from harness.cloud.tasks.site import Site

Stage = Literal["", "SCALE_UP", "BAKE_TIME", "CLEAN_UP"]


@dataclass(slots=True)
class BlueGreen:
    """The deployment of one service that is under way."""

    stage: Stage = ""
    _deployment: str = ""
    _shifted_s: float = 0.0

    def applies(self, service: Record) -> bool:
        """Whether the service's deployments are blue/green, with a second target group to go to."""
        return service["deploymentConfiguration"].get("strategy") == "BLUE_GREEN" and len(_pair(service)) == 2

    def holds(self, service: Record) -> bool:
        """True while the old tasks must stay."""
        return self.applies(service) and self.stage in {"SCALE_UP", "BAKE_TIME"}

    def superseded(self, service: Record) -> set[str]:
        """The deployments whose tasks have neither visitors nor a future, by id: another was started meanwhile."""
        if not self.holds(service):
            return set()
        others = [one for one in service["deployments"] if one["status"] != "PRIMARY"]
        return {one["id"] for one in others if one.get("_group") != service["_production"]}

    def advance(self, site: Site, service: Record, *, ready: bool) -> None:
        """Go one stage further when the time has come; `ready` says that all new tasks are healthy."""
        primary = deployments.primary(service)
        if self._deployment != primary["id"]:
            first = not self._deployment
            rolled_back = primary["rolloutStateReason"].startswith("ECS deployment circuit breaker")
            if self.stage in {"SCALE_UP", "BAKE_TIME"} and not rolled_back:
                deployments.note(service, f"(deployment {self._deployment}) deployment stopped: another was started.")
            if self.stage == "BAKE_TIME" and not rolled_back:
                service["_production"] = self._group_of(service, second=True)  # where its visitors are, and stay
            self._deployment = primary["id"]
            self.stage = "" if first or rolled_back or len(service["deployments"]) < 2 else "SCALE_UP"
            primary["_group"] = primary.get("_group") or self._group_of(service, second=self.stage == "SCALE_UP")
        if self.stage == "SCALE_UP" and ready:
            self._shift(site, service, primary["_group"])
            self.stage, self._shifted_s = "BAKE_TIME", time.monotonic()
        bake_s = 60.0 * float(service["deploymentConfiguration"].get("bakeTimeInMinutes") or 0)
        if self.stage == "BAKE_TIME" and time.monotonic() - self._shifted_s >= bake_s:
            self.stage = "CLEAN_UP"
            service["_production"] = primary["_group"]
        primary["_stage"] = self.stage

    def back(self, site: Site, service: Record) -> None:
        """The deployment failed: what was shifted is shifted back."""
        if self.stage == "BAKE_TIME":
            self._shift(site, service, self._group_of(service, second=False))
        if self.stage:
            self.stage = "CLEAN_UP"

    def _group_of(self, service: Record, *, second: bool) -> str:
        one, other = _pair(service)
        production = service.setdefault("_production", one)
        spare = other if production == one else one
        return str(spare if second else production)

    def _shift(self, site: Site, service: Record, group: str) -> None:
        one, other = _pair(service)
        away = other if group == one else one
        for balancer in service["loadBalancers"]:
            rule = (balancer.get("advancedConfiguration") or {}).get("productionListenerRule")
            if rule:
                site.target_groups.shift(rule, group, away)
        deployments.note(service, f"has shifted production traffic to target group {group}.")
        site.evidence.add("traffic_shifted", service=service["serviceArn"], group=group)


def _pair(service: Record) -> list[str]:
    """The two target groups; none of a service without an alternate one."""
    for balancer in service.get("loadBalancers") or ():
        other = (balancer.get("advancedConfiguration") or {}).get("alternateTargetGroupArn")
        if other:
            return [str(balancer["targetGroupArn"]), str(other)]
    return []

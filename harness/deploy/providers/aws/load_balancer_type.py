"""What all types of Elastic Load Balancing version 2 share: they are tagged by ARN."""

from __future__ import annotations

from typing import ClassVar

from harness.deploy.providers.aws.described import Described
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Properties

ELB = Tagging(tag="add_tags", untag="remove_tags", resource="ResourceArns")


class Elb(Described):
    """Something that is found in the list of its kind."""

    service: ClassVar[str] = "elbv2"
    tagging: ClassVar[Tagging | None] = ELB

    def tag_target(self, resource_id: str, state: Properties) -> list[str]:
        """By ARN, in a list."""
        del state
        return [resource_id]

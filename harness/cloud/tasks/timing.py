"""How long ECS takes: every constant with its source. Those of `TaskTiming` are settings of the project."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTiming:
    """Durations of one cloud's tasks, in seconds.

    Args:
        detection_s: from a zone's loss of power until ECS gives up the tasks in it. AWS publishes none; the
            project's `detection`.
        start_s: from the placement of a task until its containers start. On Fargate that is dominated by the pull
            of the image and the attachment of the interface; AWS gives no figure, and says how to shorten it
            (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html). 0 is what this
            machine gives; a project that measured its own sets `[embedded] task_start`.
    """

    detection_s: float = 3.0
    start_s: float = 0.0


STOP_TIMEOUT_S = 30.0
"""SIGTERM to SIGKILL where the container definition has no `stopTimeout`.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"""

START_TIMEOUT_S = 180.0
"""How long a container waits for what it depends on (3 minutes on Fargate), same page."""

HEALTH_INTERVAL_S, HEALTH_TIMEOUT_S, HEALTH_RETRIES = 30.0, 5.0, 3
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html"""

BREAKER_SHARE, BREAKER_LEAST, BREAKER_MOST = 0.5, 3, 200
"""Failed tasks that end a deployment: half the desired count, between 3 and 200.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html"""

STEADY_S = 1.0
"""A task whose essential container ends sooner than this after its start counts as one that never reached RUNNING:
the agent on AWS reports a start and an end that lie so close as a failed start."""

STOPPED_KEPT_S = 3600.0
"""Stopped tasks can be described for at least an hour.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html"""

BACK_OFF_S, BACK_OFF_MOST_S = 0.25, 30.0
"""A service whose tasks fail to start again and again is throttled: the pause doubles. On AWS it grows to 27 minutes
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html); drills are shorter."""

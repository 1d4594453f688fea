"""ECS in zones: a task is a group of local processes with a network interface, a service keeps tasks running.

ministack keeps clusters, task definitions and tags, and answers every Describe* from records that are ours.

- `ecs.py`           the operations that start, change and end something
- `service.py`       one service: its deployments, its tasks, what becomes of them
- `scheduling.py`    which tasks to start and which to stop now (pure)
- `deployments.py`   rollout states, circuit breaker, alarms, rollback
- `blue_green.py`    two target groups, traffic shifted at once and back
- `task.py`          one task from PROVISIONING to STOPPED
- `container.py`     one container: process, log, health check
- `images.py`        image name → what runs
- `interface.py`     a task's network interface, where network faults act
- `agent.py`         the metadata endpoint and the role's credentials
- `faults.py`        what FIS does to tasks: the door of its ECS actions
- `scaling.py`       target tracking
- `warden.py`        ends the processes when the cloud was killed
- `emulated.py`      where ministack is touched
"""

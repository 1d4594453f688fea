"""A failover to another region, run and timed: the standby before it, what triggers it, its procedure, and names.

- `parts.py`      what a drill file says of it
- `standby.py`    the same program deployed a second time, before the workload, and taken away afterwards
- `running.py`    waits for the trigger, runs the procedure, watches where the front door's names lead
- `runbook.py`    what a procedure is given: steps, clients of the surviving region, the standby's program
- `host.py`       the process in which a procedure runs
"""

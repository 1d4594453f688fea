"""SSM documents and automations, which the emulator lacks: enough to run the runbooks that break and mend things.

- `service.py`     the operations, in front of the emulator's SSM
- `documents.py`   documents and their versions
- `execution.py`   one run of a runbook: steps, their order, cancelling
- `steps.py`       what a step does
- `expressions.py` `{{ step.output }}` and output selectors
- `script.py`      Python of a step, in a process of its own

Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-authoring-runbooks.html
"""

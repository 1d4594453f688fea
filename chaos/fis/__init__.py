"""AWS Fault Injection Service, served locally: the same API, templates and experiments. See docs/fis.md.

- `service.py`        HTTP in, HTTP out; one `region.py` for each region that is asked
- `model.py`          routes and members from botocore's model; `constraints.py` its types, limits, patterns
- `operations/`       the API's operations, a file for each noun
- `template.py`       what AWS refuses about a template; `resource_types.py`, `selection.py`
- `targets.py`        which resources a target is; `finders.py` asks the cloud for them
- `experiment.py`     a run: states, order of actions, stop, heal; `action_run.py` one action of it
- `role.py`, `stop_conditions.py`, `experiment_log.py`, `report.py`   what a run needs and leaves behind
- `actions/`          one action, one file; `actions/elsewhere.py` those that AWS alone carries out
- `watching.py`       a running experiment as a person watches it
"""

"""AWS Fault Injection Service, served locally: the same API, templates and experiments.

- `service.py`     HTTP in, HTTP out
- `operations.py`  the API's operations
- `model.py`       routes and shapes from botocore's model of FIS, and validation against them
- `template.py`    experiment templates and what AWS refuses about them
- `targets.py`     which resources a target is
- `experiment.py`  a run: states, order of actions, stop, heal
- `actions/`       one action, one file
"""

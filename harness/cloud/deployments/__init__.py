"""CodeDeploy: deployments to Lambda and ECS that really shift traffic, and shift it back.

`api.py` answers the calls, `records.py` keeps applications, groups and configurations, `deployment.py` is one
deployment as it runs, `traffic.py` its steps, `appspec.py` what is asked for, `functions.py` what it is done to.
"""

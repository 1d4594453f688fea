"""AWS WAF in front of REST stages.

`statements` reads rules, `managed` has a subset of AWS's groups, `acl` judges (all pure); `emulated` finds the web
ACL of a stage and answers what it blocks.
"""

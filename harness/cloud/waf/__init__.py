"""AWS WAF in front of REST stages and load balancers.

`statements` reads rules, `managed` has a subset of AWS's groups, `acl` judges (all pure); `sampling` keeps
what they saw; `emulated` finds the web ACL of a resource and answers what it blocks.
"""

"""Faults in the language of AWS FIS: the FIS service, its actions, and the drills that judge a stack."""

"""Tests of the functions' own code, run by the pipeline before it deploys them: no library is needed."""

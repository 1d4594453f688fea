"""Property tests here are about values, not about time: a busy machine is no failure."""

import os

from hypothesis import settings

settings.register_profile("steady", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=40)  # for `make mutate`
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

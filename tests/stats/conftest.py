"""Settings of the statistics tests: laws are checked without a time limit, cores being shared."""

from hypothesis import settings

settings.register_profile("stats", deadline=None)
settings.load_profile("stats")

"""Makes the plugin known where it is not installed, and sets how hard the property tests look."""

import os

from hypothesis import settings

pytest_plugins = ["gradproof.plugin"]

# no deadline: shared machines stall, and a slow example is not a wrong one
settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, print_blob=True)
settings.register_profile("thorough", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))

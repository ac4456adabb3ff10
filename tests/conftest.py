"""Settings of the whole suite."""

from __future__ import annotations

import os

from hypothesis import settings

# A shared machine may stall any example: wall time is never a verdict. CI draws the same examples
# each time, so that a red run is the fault of the change; people's runs go on searching.
settings.register_profile("people", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "people")

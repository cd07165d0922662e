"""How property tests draw: the same examples at each run, or new ones.

The same are drawn as long as the same modules are loaded, whose constants hypothesis draws, too.
``HYPOTHESIS_PROFILE=random`` draws new ones, which finds more the more often it is run; a failure
prints how to draw the same once more. Neither measures time: machines are slow and busy.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("random", derandomize=False, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

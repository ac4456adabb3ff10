"""``python -m agent`` is ``steward``."""

import sys

from agent.cli import main

sys.exit(main())

"""``python -m tools.serving``: serve one version of one model."""

from __future__ import annotations

import sys

from tools.serving.options import parse
from tools.serving.server import serve

if __name__ == "__main__":
    sys.exit(serve(parse(sys.argv[1:])))

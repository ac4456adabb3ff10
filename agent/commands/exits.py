"""Exit statuses of ``steward``."""

OK, FAILED, USAGE, PROPOSED, INTERRUPTED = 0, 1, 2, 3, 130

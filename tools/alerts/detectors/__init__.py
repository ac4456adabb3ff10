"""Anomaly detectors: pure functions and small online state, no dependency beyond the language."""

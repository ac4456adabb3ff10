"""Trains the intent model of the embedded planner. Run: python -m bench.intents."""

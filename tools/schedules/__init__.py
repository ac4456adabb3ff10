"""Recurring summaries: durable schedules, each slot of which exactly one process takes."""

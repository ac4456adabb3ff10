"""Notices to people: targets, routing, and an outbox that survives crashes."""

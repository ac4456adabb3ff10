"""Typed pieces of a request: one parser for each kind of thing people say."""

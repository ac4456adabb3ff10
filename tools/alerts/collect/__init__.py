"""Collectors: each looks at one source with a deadline and fails softly, by itself."""

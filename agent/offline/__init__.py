"""The embedded planner: understands requests with no language model."""

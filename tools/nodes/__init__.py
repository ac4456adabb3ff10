"""Machines of a cluster: list, cordon, uncordon, drain."""

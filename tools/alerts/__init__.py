"""Alerts, incidents, diagnosis and playbooks."""

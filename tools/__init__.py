"""What Steward can do. This package knows no language model, no chat and no approval."""

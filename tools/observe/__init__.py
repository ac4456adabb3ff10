"""Looking at hosts, GPUs, metrics and logs."""

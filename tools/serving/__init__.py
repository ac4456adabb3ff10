"""The model server that every platform runs: Open Inference Protocol v2, Prometheus metrics."""

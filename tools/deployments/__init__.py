"""What serves: looking at deployments and changing them."""

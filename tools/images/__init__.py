"""Container images of model versions: build and push."""

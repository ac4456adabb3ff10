"""Models: registry, training, optimisation, evaluation, explanation, drift."""

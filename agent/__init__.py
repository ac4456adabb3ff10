"""Who listens, thinks, asks and answers."""

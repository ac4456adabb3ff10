"""Log lines to signatures: what a line means, whether it is a root, a cascade or mere advice."""

"""What the language model is told: text files with one small door."""

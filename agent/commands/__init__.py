"""What the command line does, one file per command. Each imports what it needs when it runs."""

"""What the command line needs around a check."""

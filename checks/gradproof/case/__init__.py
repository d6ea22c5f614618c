"""What to check: the declaration, in terms of named dims."""

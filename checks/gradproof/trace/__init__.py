"""One run of forward on values that watch what happens to them, and what it asks of their shapes."""

"""What a path holds: files, notebooks, and the subjects in them."""

"""What the author wrote: lines and slips."""

"""The verdicts: claim against slope."""

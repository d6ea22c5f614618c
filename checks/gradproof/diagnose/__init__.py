"""The cause, from evidence."""

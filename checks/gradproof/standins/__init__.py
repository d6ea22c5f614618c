"""Stand-ins: objects of ours under the names that the user's modules give to a library."""

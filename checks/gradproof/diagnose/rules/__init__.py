"""The rules, each with the words for the causes that it gives."""

"""The slope, with its error bound."""

"""The inputs: examples drawn, steered and shrunk."""

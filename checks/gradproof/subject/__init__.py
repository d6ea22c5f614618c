"""Runs the layer: the only stage that calls user code."""

"""Conventions of writing layers: where parameters and gradients are kept, how methods are called."""

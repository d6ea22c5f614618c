"""The promises of a layer beside its gradient."""

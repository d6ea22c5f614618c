"""Says why a subject fails: every source of explanations behind one interface, and one ranking; no text."""

"""The Case of a subject that declares none."""

"""The faces and the wiring: the command line, and what puts the parts together."""

"""Declarative clusters: one YAML file, and the Pacemaker cluster that it describes."""

"""The configuration of a Pacemaker cluster, as values that can be compared, written and applied."""

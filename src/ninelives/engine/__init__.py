"""When to do it: drives the core through ports, commits before it acts, knows no product."""

"""Pacemaker, as ninelives meets it: its configuration, its tools, and what they show of it."""

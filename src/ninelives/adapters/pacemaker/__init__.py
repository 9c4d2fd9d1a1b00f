"""Pacemaker, as ninelives meets it: its configuration, its tools."""

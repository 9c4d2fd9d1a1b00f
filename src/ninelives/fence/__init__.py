"""What Pacemaker starts for each fencing: a small program of its own that imports nothing else.

It must answer while every other part of ninelives is down or being upgraded, and within a moment on
a machine that is busy, because a host has just died. So nothing in it waits without a limit, and it
imports next to nothing: dataclasses, pathlib, subprocess, json and what they import would take
twice the processor time of all the rest (bench/fence_agent.py).
"""

"""Nova and Placement as they answer over HTTP, behind the port `Compute` and two sources.

    identity ──▶ session ──▶ wire          who we are; what is asked, how often; the bytes
                   ▲
    orders  reads  targets  watch          one request each; listing; Placement; what changes
                   │
    views  answers  candidates             JSON into the core's words: pure

Laws:
  - no POST is ever sent twice, and an order never waits in a line of ours: what cannot leave at
    once is not sent, for the check that allowed it was made a moment ago;
  - a page that is missing, a cell that is down, a field that makes no sense: incomplete or
    unknown, never "nothing there";
  - Nova's instants are compared with each other, never with our own clock.
"""

"""An OpenStack that is not there: the model of Nova behind the true HTTP APIs, in real time.

    keystone  nova_*  placement  images      redfish            control
        └────────┴────────┴────────┘            │                  │     calls in, what to say out
                     ▼                          ▼                  ▼
                 StandIn: sim.nova ── effects ▶ machines ◀ power ── faults

What Nova does is in `sim.nova` alone; here stand the wire formats, the machines and the clock.
"""

"""A real control plane on loopback: Keystone, Placement, Glance, Nova, and what they stand on.

    epmd ▶ RabbitMQ ┐                    ┌ keystone placement glance network
    MariaDB ────────┼▶ schemas ▶ users ▶ ┤ nova-api
    fork server ────┘                    └ conductor scheduler ▶ nova-compute a host ▶ cells mapped

Nova's services are forked from one process that has imported nova once: 0.6 s of CPU and 57 MB a
nova-compute, where an interpreter of its own takes 3.5 s and 129 MB.
"""

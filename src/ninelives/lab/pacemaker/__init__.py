"""A real Pacemaker cluster over the hosts of a lab: its members are machines of their own.

    ctl1 ctl2 ctl3   corosync, pacemakerd         management 198.18.x.61-63    oob 198.18.x.71-73
      │ TLS                                                                      │ fence agents
    c1 c2 c3 …       pacemaker-remoted            management 198.18.x.11 …     BMCs 198.18.x.11 …

Every machine is namespaces, as a lab's hosts are; nothing of it needs systemd or dbus. What of a
machine must be its own lies below `kept/pacemaker` (the CIB, which outlives a `down`) and `log`.
"""

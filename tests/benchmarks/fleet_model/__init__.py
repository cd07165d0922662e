"""A fleet of hosts in virtual time: the product's cores and pure rules at one simulated account.

Every host is a ``supervisor.core.Core``; its workers, zygotes and reporters say what real ones say.
Heartbeats, counts and waits are due when ``HeartbeatPace``, ``SharedThrottling``, ``CountPace`` and
``Backoff`` of the product say so. Simulated are SWF, the network and the processes.
"""

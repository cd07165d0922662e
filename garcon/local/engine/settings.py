"""What may be set about the local service, and the figures of the real one.

Every number is the published quota or the documented behaviour of Amazon SWF (developer guide,
"Amazon SWF Quotas"; service model 2012-01-25); a test lowers one to reach a limit quickly.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The figures an engine runs with; the defaults are the service's own."""

    poll_window: float = 60.0
    """Seconds a long poll is held: "the maximum time the service holds on to the request"."""

    page_size: int = 1_000
    """Results a page when the caller gives no maximumPageSize, and the most he may ask for."""

    page_token_life: float = 24 * 3600.0
    """Seconds a nextPageToken can be used: "each pagination token expires after 24 hours"."""

    event_limit: int = 25_000
    """Events in one history; the execution is terminated by the event that reaches it."""

    execution_limit: float = 365 * 24 * 3600.0
    """Seconds an execution may stay open, whatever its own timeout says: one year."""

    open_activities: int = 1_000
    """Open activity tasks in one execution."""

    open_timers: int = 1_000
    """Open timers in one execution."""

    open_children: int = 1_000
    """Open child executions of one execution."""

    open_lambdas: int = 1_000
    """Open lambda functions in one execution; unpublished, so taken from activities."""

    open_executions: int = 100_000
    """Open executions in one domain, children counted."""

    domains: int = 100
    """Domains in the account, deprecated ones counted."""

    types: int = 10_000
    """Activity types, and as many workflow types, in one domain, deprecated ones counted."""

    pollers: int = 1_000
    """Pollers on one task list."""

    tags: int = 50
    """Tags on one domain."""

    ghosts: bool = True
    """Whether a poller whose connection has gone may still be handed a task, as in production."""

    quotas: bool = False
    """Whether the account's token buckets are enforced; off, since tests should be quick."""

    region: str = "us-east-1"
    """Region in the ARNs of domains."""

    account: str = "000000000000"
    """Account in the ARNs of domains: twelve digits that belong to nobody."""

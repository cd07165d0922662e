"""Figures and switches of the local service; the defaults are those of Amazon SWF.

Every number is a published quota or documented behaviour of Amazon SWF (developer guide,
"Amazon SWF Quotas"; service model 2012-01-25). A test lowers one to reach a limit quickly.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The figures of one engine."""

    poll_window: float = 60.0
    """Seconds a long poll is held: "the maximum time the service holds on to the request"."""

    page_size: int = 1_000
    """Results in a page without a maximumPageSize, and the largest maximumPageSize."""

    page_token_life: float = 24 * 3600.0
    """Seconds a nextPageToken is valid: "each pagination token expires after 24 hours"."""

    event_limit: int = 25_000
    """Events in one history; the event that reaches the limit terminates the execution."""

    execution_limit: float = 365 * 24 * 3600.0
    """Seconds an execution may stay open, whatever its own timeout: one year."""

    open_activities: int = 1_000
    """Open activity tasks in one execution."""

    open_timers: int = 1_000
    """Open timers in one execution."""

    open_children: int = 1_000
    """Open child executions of one execution."""

    open_lambdas: int = 1_000
    """Open lambda functions in one execution; unpublished, so the same as for activities."""

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
    """Whether a ghost poller, whose connection is gone, may still be given a task, as in SWF."""

    quotas: bool = False
    """Whether the account's token buckets are enforced; off, since tests should be quick."""

    region: str = "us-east-1"
    """Region in the ARNs of domains for requests that are not signed for a region."""

    account: str = "000000000000"
    """Account in the ARNs of domains: twelve digits that no account has."""

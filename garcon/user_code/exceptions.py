"""Exceptions of users' code that are more than a failure."""

ENDS_PROCESS = (SystemExit, KeyboardInterrupt)
"""They end the process, wherever they are raised. All other exceptions fail the task or decision
that raised them, also those that libraries derive from ``BaseException`` to escape ``except
Exception`` (``asyncio.CancelledError``, gevent's ``GreenletExit``, trio's ``Cancelled``)."""

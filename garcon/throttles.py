"""Trying a throttled call again, as documented: five times, with growing rests drawn at random.

Only a throttle is tried again here. What else may pass is the matter of whoever calls: a poll's
loop rests, an answer is insisted on. Full jitter, because what was throttled together would come
back together.
"""

import backoff
from botocore.exceptions import ClientError

from garcon import utils

TRIES = 5  # as documented

backed_off = backoff.on_exception(
    backoff.expo,
    ClientError,
    max_tries=TRIES,
    jitter=backoff.full_jitter,
    giveup=utils.non_throttle_error,
    on_backoff=utils.throttle_backoff_handler,
    logger=None,  # the handler logs, under the execution; the error itself is the caller's
)
"""Decorates a method of something that has a ``logger``."""

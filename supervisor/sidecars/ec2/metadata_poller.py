"""Repeated readings of the instance metadata, with a backoff and log lines while they fail.

Rules:

1. A service that does not answer ends the reading: the remaining items are not requested. An item
   with an invalid response is missing from the result, and the others are read.
2. What names the instance is believed only in its own form: a page of a proxy or of a sign-in names
   none. It is read again until it is valid.
3. One log line when readings begin to fail, one when they succeed again. Meanwhile they go on, at
   waits that grow with jitter, but not far: a spot instance has two minutes.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from supervisor.backoff import Backoff
from supervisor.ipc.messages import Instance
from supervisor.logs import log
from supervisor.sidecars.ec2.imds import InvalidResponse, NoResponse
from supervisor.sidecars.ec2.notices import Item

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from supervisor.sidecars.ec2.imds import Imds
    from supervisor.sidecars.ec2.notices import Metadata

_REGION = r"[a-z]{2,}(-[a-z]+)+-[0-9]+"

FORMS = {
    "meta-data/instance-id": re.compile(r"i-[0-9a-f]{8,32}"),
    "meta-data/placement/region": re.compile(_REGION),
    "meta-data/placement/availability-zone": re.compile(rf"{_REGION}(-[a-z]+-[0-9]+)*[a-z]"),
    "meta-data/instance-life-cycle": re.compile(r"[a-z]+(-[a-z]+)*"),
}
"""The forms of the items that name the instance; a local zone is ``us-west-2-lax-1a``."""

SHOWN = 60
"""Characters of an invalid text that the log shows."""

GROWTH = 1.5
LONGEST_WAIT = 3.0
"""Intervals from one failed reading to the next, at most: 15 of a spot instance's 120 seconds."""


class MetadataPoller:
    """Reads the metadata of one instance.

    Args:
        imds: The reader.
        interval: Seconds between two readings.
        jitter: The source of chance for the backoff.
    """

    def __init__(self, imds: Imds, interval: float, jitter: Random) -> None:
        self.instance: Instance | None = None
        self.region = ""
        self._imds = imds
        self._interval = interval
        self._jitter = jitter
        self._backoff = Backoff(interval * GROWTH, GROWTH, cap=interval * LONGEST_WAIT)
        self._failures = 0  # readings in a row
        self._failing_since = 0.0

    def read(self, now: float) -> Metadata:
        """The items as they are now; without those that could not be read."""
        metadata: dict[Item, str | None] = {}
        try:
            failure = self._read_items(metadata)
        except NoResponse as error:
            failure = str(error)
        if failure:
            self._failed(failure, now)
        else:
            self._succeeded(now)
        return metadata

    def seconds_to_next(self) -> float:
        """Seconds until the next reading."""
        if not self._failures:
            return self._interval
        return self._backoff.wait_after(self._failures, self._jitter)

    def _read_items(self, metadata: dict[Item, str | None]) -> str:
        """Fill in the items; returns the first failure, or nothing."""
        failure = ""
        steps: list[Callable[[], None]] = [partial(self._read, metadata, item) for item in Item]
        for step in (self._read_instance, *steps):
            try:
                step()
            except InvalidResponse as error:
                failure = failure or str(error)
        return failure

    def _read(self, metadata: dict[Item, str | None], item: Item) -> None:
        metadata[item] = self._imds.get(item)

    def _read_instance(self) -> None:
        """Read which instance this is, until all of it is valid."""
        if self.instance is None:
            self.region = self._get_valid("meta-data/placement/region")
            self.instance = Instance(
                id=self._get_valid("meta-data/instance-id"),
                zone=self._get_valid("meta-data/placement/availability-zone"),
                life_cycle=self._get_valid("meta-data/instance-life-cycle"),
            )

    def _get_valid(self, path: str) -> str:
        """The item, empty if there is none; ``InvalidResponse`` for a text of another form."""
        text = (self._imds.get(path) or "").strip()
        if text and not FORMS[path].fullmatch(text):
            where = f"{self._imds.endpoint} answers {text[:SHOWN]!r} for {path}"
            raise InvalidResponse(f"{where}, which has another form")
        return text

    def _failed(self, why: str, now: float) -> None:
        if not self._failures:
            self._failing_since = now
            facts = {"facts": {"event": "metadata_unavailable"}}
            log.LOGGER.warning(
                "%s. Notices of the instance's end may be missed until that works; trying again."
                " (In a container the instance's metadata hop limit must be 2 or more.)",
                why,
                extra=facts,
            )
        self._failures += 1

    def _succeeded(self, now: float) -> None:
        if self._failures:
            facts = {"facts": {"event": "metadata_recovered"}}
            lasted = now - self._failing_since
            log.LOGGER.warning("Instance metadata recovered after %.1f s.", lasted, extra=facts)
        self._failures = 0

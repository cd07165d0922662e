"""The inputs of ``--start`` on their way to the starter: a memory file that rides on its orders.

They are as long as people like and as many, so they fit neither a packet of a channel nor, safely,
a command line; and they are nobody else's business, so they touch no disk.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextlib.contextmanager
def written(texts: Sequence[str]) -> Iterator[int]:
    """A descriptor of a memory file with these texts; ours is closed at the end of the block."""
    with os.fdopen(os.memfd_create("garcon-inputs"), "w", encoding="utf-8") as file:
        json.dump(list(texts), file)
        file.flush()
        yield file.fileno()


def read(descriptor: int) -> list[str]:
    """The texts, from the descriptor that rode on a message; closes it."""
    with os.fdopen(descriptor, encoding="utf-8") as file:
        file.seek(0)
        texts: list[str] = json.load(file)
    return texts

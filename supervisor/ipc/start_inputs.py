"""The inputs of ``--start`` on their way to the starter: a memory file that is sent along.

They may be longer than a packet or a command line, and they may be secret, so they touch no disk.
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
    """A descriptor of a memory file with these texts, open until the end of the block."""
    with os.fdopen(os.memfd_create("garcon-inputs"), "w", encoding="utf-8") as file:
        json.dump(list(texts), file)
        file.flush()
        yield file.fileno()


def read(descriptor: int) -> list[str]:
    """The texts, from the descriptor that came with a message; closes it."""
    with os.fdopen(descriptor, encoding="utf-8") as file:
        file.seek(0)  # the offset belongs to the open file: the writer has left it at the end
        texts: list[str] = json.load(file)
    return texts

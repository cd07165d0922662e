"""Notes that a decider leaves with what it begins, in the ``control`` member of its decisions.

Workers do not see them; later decisions read them in the history.
"""

import hashlib
import json
from typing import Any

from garcon.payload import safe_json
from garcon.user_code.text import text_of

_encode = json.JSONEncoder(sort_keys=True, default=text_of).encode


def digest(values: Any) -> str:
    """A short key of an input; equal inputs have equal keys."""
    return hashlib.sha1(_encode(values).encode(), usedforsecurity=False).hexdigest()[:16]


def input_digest(values: Any) -> str | None:
    """The key of an input as it is noted; ``None`` for an empty input, which is not noted."""
    return digest(values) if values else None


def control_of(text: str | None) -> dict[str, Any]:
    """The notes in a ``control`` text; empty if another program wrote it."""
    try:
        notes = safe_json.loads(text or "{}")
    except ValueError:
        return {}
    return notes if isinstance(notes, dict) else {}

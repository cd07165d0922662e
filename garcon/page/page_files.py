"""The files of the page, and the headers of every response."""

from functools import cache
from importlib.resources import files

SAFETY_HEADERS = (
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    (
        "content-security-policy",
        "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    ),
)
"""Headers of every response: workflows may hold text of any origin, so the browser runs and loads
only files of this server."""

MODULES = (
    "element.js",
    "execution.js",
    "history.js",
    "items.js",
    "payloads.js",
    "presentation.js",
    "timeline.js",
)
"""The scripts that both servers send."""

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}


def files_of(name: str, *scripts: str) -> dict[str, str]:
    """The files of a server's page by their paths.

    Args:
        name: The server's own document and script: ``local`` or ``console``.
        scripts: Further scripts of its own.
    """
    rest = ("page.css", f"{name}.js", *MODULES, *scripts)
    return {"/": f"{name}.html", **{f"/{each}": each for each in rest}}


@cache
def content(name: str) -> tuple[bytes, str]:
    """A file and its content type."""
    body = files("garcon.page").joinpath("browser", name).read_bytes()
    return body, f"{_TYPES[name.rpartition('.')[2]]}; charset=utf-8"

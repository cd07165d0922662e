"""The flow whose outputs ``docs/operating.md`` shows: fetch a photo, resize it thrice, publish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garcon import activity, runner, task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

domain, name = "photos", "album"

create = activity.create(domain, name)

broken: set[str] = set()
"""Photos that cannot be published at present."""


@task.decorate(timeout=60)
def get(url: str) -> dict[str, str]:
    """Fetch a photo."""
    return {"path": f"/tmp/{url}"}  # noqa: S108 - a text


@task.decorate(timeout=60)
def shrink(path: str, width: int) -> dict[str, str]:
    """Resize it."""
    return {f"thumb.{width}": f"{path}-{width}"}


@task.decorate(timeout=60)
def show(url: str) -> dict[str, str]:
    """Publish the thumbnails."""
    if url in broken:
        raise OSError("403 Forbidden")
    return {"page": "https://example.org/album"}


def widths(_: Mapping[str, object]) -> Iterator[dict[str, int]]:
    """Three widths."""
    return ({"width": width} for width in (100, 400, 900))


fetch = create(name="fetch", run=runner.Sync(get.fill(url="photo.url")))
resize = create(
    name="resize",
    requires=[fetch],
    generators=[widths],
    run=runner.Sync(shrink.fill(path="path", width="width")),
)
publish = create(name="publish", requires=[resize], run=runner.Sync(show.fill(url="photo.url")))

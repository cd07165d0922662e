"""The claim store: results that are longer than SWF takes.

SWF takes 32,768 characters of input or result. A longer one is kept in a claim store, a folder or
an S3 bucket that all workers of the flow share: activities and deciders get the values, SWF gets
their digests. Run it, with a folder or with ``s3://bucket/prefix``::

    GARCON_CLAIMS=file:/tmp/claims python -m supervisor --flow examples.claims \
        --local --once --start '{"books": 2000}'
"""

from __future__ import annotations

from typing import Any

from garcon import activity, runner, task

domain = "library"
name = "reading"
create = activity.create(domain, name)


@task.decorate(timeout=60)
def list_books(books: int) -> dict[str, Any]:
    """Return the titles, some 40 characters each; those of 1,000 books are too long for SWF."""
    return {"titles": [f"The collected letters of author {number}" for number in range(books)]}


@task.decorate(timeout=60)
def count_letters(titles: list[str]) -> dict[str, Any]:
    """Count the letters of all titles."""
    return {"letters": sum(map(len, titles))}


collect = create(name="collect", run=runner.Sync(list_books.fill(books="books")))
count = create(
    name="count", requires=[collect], run=runner.Sync(count_letters.fill(titles="titles"))
)

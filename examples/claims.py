"""Results that are longer than SWF takes: a reading list, sent around as it is.

SWF takes 32,768 characters of input or result. What is longer goes to a claim store, which all
workers of the flow are given; activities and deciders see the values, SWF sees their digests. Run
it, with a directory or with ``s3://bucket/prefix``::

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
    """The whole list, of some 40 characters a book."""
    return {"titles": [f"The collected letters of author {each}" for each in range(books)]}


@task.decorate(timeout=60)
def count_letters(titles: list[str]) -> dict[str, Any]:
    """How long the list is."""
    return {"letters": sum(map(len, titles))}


collect = create(name="collect", run=runner.Sync(list_books.fill(books="books")))
count = create(
    name="count", requires=[collect], run=runner.Sync(count_letters.fill(titles="titles"))
)

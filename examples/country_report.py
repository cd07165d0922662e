"""A flow without a decider, because its activities say which others they require: a country report.

It shows a generator (one activity for each country, in parallel), retries (the statistics office is
busy when first called), parallel tasks within an activity (``Async``), a list of tasks, results
under namespaces, and a fixed argument (``StaticParam``). The flow is a class, which is called with
a client, a domain and a name. Run it::

    python -m supervisor --flow examples.country_report:CountryReport \
        --domain reports --name countries --workers 4 \
        --local --once --start '{"countries": ["France", "Japan"]}'
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garcon import ActivityExecution, activity, param, runner, task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PEOPLE = {"France": 68, "Japan": 124, "Kenya": 55}  # millions
AREA = {"France": 549, "Japan": 378, "Kenya": 580}  # thousand square kilometres
SECTIONS = ("people", "area")


class OfficeBusy(Exception):
    """The statistics office is busy; a later call succeeds."""


@task.decorate(timeout=20)
def choose(countries: list[str] | None) -> dict[str, Any]:
    """Choose the countries of the report: the requested ones that have figures."""
    return {"countries": [country for country in countries or PEOPLE if country in PEOPLE]}


@task.decorate(timeout=60, heartbeat=30)
def count_people(activity: ActivityExecution, country: str) -> dict[str, int]:
    """Ask the statistics office, which is busy at the first call."""
    call_the_office(f"{activity.run_id}-{country}")
    return {country: PEOPLE[country]}


@task.decorate(timeout=60)
def measure(country: str) -> dict[str, int]:
    """Return the area of a country."""
    return {country: AREA[country]}


@task.decorate(timeout=20)
def write_section(title: str, countries: list[str], **figures: int) -> dict[str, str]:
    """Write one section."""
    return {
        "text": f"{title}: " + ", ".join(f"{country} {figures[country]}" for country in countries)
    }


@task.decorate(timeout=20)
def bind(title: str, people: str, area: str) -> dict[str, str]:
    """Put the sections together."""
    return {"report": f"{title}\n{people}\n{area}"}


@task.list
def sections(context: Mapping[str, Any]) -> Iterator[task.FilledTask]:
    """Yield a task for each section; its figures are the results of the countries' activities."""
    for section in SECTIONS:
        figures = {country: f"{section}.{country}" for country in context.get("countries", ())}
        yield write_section.fill(
            namespace=section, title=param.StaticParam(section), countries="countries", **figures
        )


def one_for_each_country(context: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield the local context of each instance of an activity."""
    for country in context["countries"]:
        yield {"country": country}


def call_the_office(caller: str) -> None:
    """Raise ``OfficeBusy`` at a caller's first call, in whichever process; a file remembers it."""
    note = Path(tempfile.gettempdir()) / f"{caller.replace('/', '_')}.called"
    try:
        note.touch(exist_ok=False)
    except FileExistsError:
        note.unlink()
        return
    raise OfficeBusy(f"Call again about {caller.rpartition('-')[2]}.")


class CountryReport:
    """The flow.

    Args:
        client: An SWF client; ``None`` for garcon's own.
        domain: The SWF domain.
        name: The flow's name, which its task lists begin with.
    """

    def __init__(self, client: Any, domain: str, name: str) -> None:
        self.client = client
        self.domain = domain
        self.name = name
        create = activity.create(client, domain, name)
        self.choose = create(name="choose", run=runner.Sync(choose.fill(countries="countries")))
        self.research = create(
            name="research",
            requires=[self.choose],
            generators=[one_for_each_country],
            retry=2,
            run=runner.Async(
                count_people.fill(namespace="people", country="country"),
                measure.fill(namespace="area", country="country"),
                max_workers=2,
            ),
        )
        self.write = create(
            name="write",
            requires=[self.research],
            run=runner.Sync(
                sections,
                bind.fill(
                    title=param.StaticParam("Countries"), people="people.text", area="area.text"
                ),
            ),
        )

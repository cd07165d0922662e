"""Flows in the shapes that flows in production have; each is of garcon 1.x and runs unchanged."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from garcon import activity, runner, task

failures: list[str] = []
"""The attempts of ``unsteady`` that failed."""


def unsteady(context: Any, activity: Any) -> None:
    """Fail twice, then work: the released example fails by chance."""
    if len(failures) < 2:
        failures.append(activity.activity_id)
        raise Exception("fails")  # noqa: TRY002 - as in the wild


def fan() -> Any:
    """A flow without a decider: plain functions, requirements, both runners, retries."""
    create: Any = activity.create("dev", "fan")
    first = create(name="first", run=runner.Sync(lambda context, activity: None))
    pair = create(
        name="pair",
        requires=[first],
        tasks=runner.Async(lambda context, activity: None, lambda context, activity: {"n": 2}),
    )
    flaky = create(name="flaky", retry=10, requires=[first], run=runner.Sync(unsteady))
    last = create(
        name="last", requires=[flaky, pair], run=runner.Sync(lambda context, activity: {"end": 1})
    )
    return SimpleNamespace(domain="dev", name="fan", first=first, pair=pair, flaky=flaky, last=last)


@task.decorate()
def price(activity: Any, item: Any = None) -> dict[str, Any]:
    """The price of an item."""
    return {"price": {"tea": 3, "cake": 4}.get(item, 0)}


@task.decorate()
def pay(activity: Any, total: Any = None) -> dict[str, Any]:
    """Pay the bill."""
    return {"paid": total}


@task.decorate()
def nothing(activity: Any) -> None:
    """Have no result."""


class Counter:
    """A class with domain and name, whose activities are made anew at each access."""

    def __init__(self, domain: str, name: str) -> None:
        self.name, self.domain = name, domain
        self.create: Any = activity.create(domain, name)

    def decider(self, schedule: Any, context: Any = None) -> None:
        """One activity for each item, then two at once, then one."""
        schedule("enter", self.enter).wait()
        total = 0
        for item in ("tea", "cake"):
            total += schedule(f"order_{item}", self.order, input={"item": item}).result.get("price")
        paying, serving = (
            schedule("pay", self.payment, input={"total": total}),
            schedule("serve", self.serving),
        )
        _ = paying.wait(), serving.wait()
        schedule("leave", self.enter)

    @property
    def enter(self) -> Any:
        """No result."""
        return self.create(name="enter", run=runner.Sync(lambda context, activity: None))

    @property
    def order(self) -> Any:
        """A price."""
        return self.create(name="order", run=runner.Sync(price.fill(item="item")))

    @property
    def payment(self) -> Any:
        """The sum that was paid."""
        return self.create(name="payment", run=runner.Sync(pay.fill(total="total")))

    @property
    def serving(self) -> Any:
        """No result."""
        return self.create(name="serving", run=runner.Sync(nothing.fill()))


@task.decorate(timeout=60)
def begin(activity: Any, day: Any, again: Any) -> dict[str, Any]:
    """The state of a day."""
    return {"feed": "all", "day": day, "stop": day == "holiday" and not again}


@task.decorate(timeout=60)
def report(activity: Any, feed: Any, day: Any) -> dict[str, Any]:
    """The report of a day."""
    return {"text": f"{feed} on {day}"}


class Daily:
    """A class without arguments: version, handler that raises, namespaces, an early end."""

    def __init__(self) -> None:
        self.name, self.domain, self.version, self.timeout = "daily", "dev", "2.0", 180
        self.create: Any = activity.create(
            self.domain, self.name, version=self.version, on_exception=self.on_exception
        )

    def decider(self, schedule: Any) -> Any:
        """End early on a holiday."""
        begun = schedule("begin", self.begin)
        if begun.result.get("begin.stop"):
            return begun.result.get("begin.stop")
        reported = schedule("report", self.report, requires=[begun])
        return schedule("done", self.done, requires=[reported])

    @property
    def begin(self) -> Any:
        """A namespace."""
        filled = begin.fill(namespace="begin", day="day", again="again")
        return self.create(name="begin", tasks=runner.Sync(filled))

    @property
    def report(self) -> Any:
        """Arguments from a namespace."""
        filled = report.fill(namespace="report", feed="begin.feed", day="begin.day")
        return self.create(name="report", retry=2, tasks=runner.Sync(filled))

    @property
    def done(self) -> Any:
        """No result."""
        return self.create(name="done", tasks=runner.Sync(nothing.fill(namespace="done")))

    def on_exception(self, actor: Any, exception: Exception) -> None:
        """Raise, as handlers do that report elsewhere."""
        raise exception

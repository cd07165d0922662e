"""Long polls: their tasks, their windows, and ghost pollers."""

import pytest

from garcon.local.engine import Answer, Fault, Waiting, Wakeup
from tests.garcon.local.engine.account import (
    ACTIVITIES,
    DECISIONS,
    DOMAIN,
    START,
    Account,
    schedule,
    timer,
)
from tests.garcon.local.shapes import check_answer


def waiting(account: Account, kind: str = "Activity", task_list: str = ACTIVITIES) -> str:
    """Poll where there is no work; the poll's id."""
    answer = account.wait(kind, task_list)
    assert isinstance(answer, Waiting)
    return answer.poll_id


def woken(account: Account) -> dict[str, str]:
    """The tokens that waiting polls were given since the last call, by poll id."""
    return {
        wakeup.poll_id: wakeup.answer.body.get("taskToken", "")
        for wakeup in account.engine.take_wakeups()
    }


def test_a_poll_without_work_ends_empty_with_its_window() -> None:
    """After 60 seconds and not before, both kinds of polls get the empty result."""
    account = Account()
    account.after(7)
    activity = waiting(account)
    decision = waiting(account, "Decision", DECISIONS)
    assert account.engine.next_deadline() == START + 67
    account.after(59.9)
    assert woken(account) == {}
    account.after(0.1)
    wakeups = account.engine.take_wakeups()
    assert wakeups == [
        Wakeup(activity, Answer({"startedEventId": 0})),
        Wakeup(
            decision,
            Answer({"startedEventId": 0, "previousStartedEventId": 0}),
        ),
    ]


def test_work_wakes_the_oldest_poll() -> None:
    """Tasks go to polls in the order of the polls, one each."""
    account = Account()
    account.start()
    first, second, third = (waiting(account) for _ in range(3))
    account.decide(schedule("a"))
    assert set(woken(account)) == {first}
    account.signal()
    account.decide(schedule("b"), schedule("c"))
    assert list(woken(account)) == [second, third]


def test_a_wakeup_has_the_shape_of_the_answer() -> None:
    """A poll that waited gets the same answer as one that did not."""
    account = Account()
    poll = waiting(account, "Decision", DECISIONS)
    account.start()
    (wakeup,) = account.engine.take_wakeups()
    assert wakeup.poll_id == poll
    check_answer("PollForDecisionTask", wakeup.answer.body)
    account.respond(wakeup.answer.body)


def test_higher_priority_goes_first() -> None:
    """Greater numbers go first, negative ones last, the oldest first among equals."""
    account = Account()
    account.start()
    priorities = {"low": "-5", "b": "3", "a": "3", "high": "10", "none": None}
    account.decide(
        *(
            schedule(name, **({"taskPriority": value} if value else {}))
            for name, value in priorities.items()
        )
    )
    polled = [account.poll_activity()["activityId"] for _ in priorities]
    assert polled == ["high", "b", "a", "none", "low"]


def test_priority_counts_among_all_tasks_of_a_response() -> None:
    """A waiting poll gets the best task of a response, not the first."""
    account = Account()
    account.start()
    waiting(account)
    account.decide(schedule("first"), schedule("best", taskPriority="1"))
    (wakeup,) = account.engine.take_wakeups()
    assert wakeup.answer.body["activityId"] == "best"


def test_decision_tasks_have_the_priority_of_their_execution() -> None:
    """A later execution with a higher priority is decided first."""
    account = Account()
    account.start("plain")
    account.start("urgent", taskPriority="5")
    assert account.poll_decision()["workflowExecution"]["workflowId"] == "urgent"


def test_lists_of_the_two_kinds_are_apart() -> None:
    """A decision task is not given to an activity poller of a list with the same name."""
    account = Account()
    waiting(account, "Activity", DECISIONS)
    account.start()
    assert woken(account) == {}


def test_lists_of_two_domains_are_apart() -> None:
    """A task is only given to pollers of its domain."""
    account = Account()
    account.call("RegisterDomain", name="other", workflowExecutionRetentionPeriodInDays="1")
    answer = account.raw("PollForDecisionTask", domain="other", taskList={"name": DECISIONS})
    assert isinstance(answer, Waiting)
    account.start()
    assert woken(account) == {}


def test_a_ghost_poller_may_be_given_a_task() -> None:
    """The task is started, counted and reported as lost, and times out."""
    account = Account()
    run = account.start()
    account.engine.disconnect(waiting(account), account.now)
    account.decide(schedule())
    assert account.types(run)[-1] == "ActivityTaskStarted"
    assert account.engine.counters.ghosts == 1
    assert woken(account) == {}
    account.after(60)
    assert account.last(run, "ActivityTaskTimedOut")["timeoutType"] == "START_TO_CLOSE"


def test_a_ghost_poller_ends_with_its_window() -> None:
    """After its window it is given no task, and it is never answered."""
    account = Account()
    account.start()
    account.engine.disconnect(waiting(account), account.now)
    account.after(60)
    assert woken(account) == {}
    account.decide()
    account.signal()
    account.decide(schedule())
    assert account.pending("Activity", ACTIVITIES) == 1


def test_a_ghost_poller_may_be_given_a_decision_task() -> None:
    """The decision task times out, and another one follows."""
    account = Account()
    account.engine.disconnect(waiting(account, "Decision", DECISIONS), account.now)
    run = account.start()
    account.after(10)
    assert account.last(run, "DecisionTaskTimedOut")["timeoutType"] == "START_TO_CLOSE"
    account.decide()


def test_without_ghosts_a_lost_connection_gets_no_task() -> None:
    """With the setting off, the next poller gets the task."""
    account = Account(ghosts=False)
    account.start()
    account.engine.disconnect(waiting(account), account.now)
    account.decide(schedule())
    assert account.engine.counters.ghosts == 0
    account.poll_activity()


def test_disconnecting_an_answered_poll_changes_nothing() -> None:
    """A connection may end after its answer."""
    account = Account()
    poll = waiting(account)
    account.start()
    account.decide(schedule())
    account.engine.disconnect(poll, account.now)
    assert set(woken(account)) == {poll}


def test_forgotten_polls_get_neither_answer_nor_task() -> None:
    """After a restart of the service, its former polls have no effect."""
    account = Account()
    account.start()
    waiting(account)
    account.engine.forget_polls(account.now)
    account.decide(schedule())
    account.after(60)
    assert woken(account) == {}
    assert account.pending("Activity", ACTIVITIES) == 1


def test_pollers_of_a_list_have_a_limit() -> None:
    """One poller too many is refused; ghost pollers count, as the service cannot detect them."""
    account = Account(pollers=2)
    account.engine.disconnect(waiting(account), account.now)
    waiting(account)
    with pytest.raises(Fault) as caught:
        waiting(account)
    assert caught.value.code == "LimitExceededFault"
    waiting(account, "Decision", ACTIVITIES)


def test_a_task_that_arrives_as_the_window_ends_is_delivered() -> None:
    """Of two things due in the same moment, work comes first."""
    account = Account()
    account.start()
    account.decide(timer(seconds="60"))
    poll = waiting(account, "Decision", DECISIONS)
    account.after(60)
    assert woken(account)[poll] != ""


def test_polling_an_unknown_domain_is_refused() -> None:
    """A poll does not create a domain."""
    account = Account()
    for kind in ("Activity", "Decision"):
        with pytest.raises(Fault, match="Unknown domain: nowhere"):
            account.raw(f"PollFor{kind}Task", domain="nowhere", taskList={"name": "x"})


def test_pending_counts_scheduled_tasks() -> None:
    """A started task is not pending, and a list that was never used has none."""
    account = Account()
    account.start("a")
    account.start("b")
    assert account.pending("Decision", DECISIONS) == 2
    account.decide(schedule("x"), schedule("y"))
    assert account.pending("Decision", DECISIONS) == 1
    account.poll_activity()
    assert account.pending("Activity", ACTIVITIES) == 1
    assert account.pending("Activity", "never used") == 0


def test_a_thousand_idle_pollers_cost_one_deadline() -> None:
    """Nothing is due before the first of their windows ends, and they end together."""
    account = Account()
    for _ in range(1000):
        waiting(account)
    assert account.engine.next_deadline() == START + 60
    assert account.engine.next_work_deadline() == float("inf")
    account.after(60)
    assert len(woken(account)) == 1000


def test_task_lists_show_backlog_and_pollers() -> None:
    """The summary names the waiting pollers, longest waiting first, and counts ghosts apart."""
    account = Account()
    account.start()
    for label in ("one", "two", "gone"):
        params = {"domain": DOMAIN, "taskList": {"name": ACTIVITIES}}
        answer = account.engine.call("PollForActivityTask", params, account.now, poller=label)
        assert isinstance(answer, Waiting)
        last = answer.poll_id
    account.engine.disconnect(last, account.now)
    decisions, work = sorted(account.engine.task_lists(), key=lambda each: each.name)
    assert (decisions.kind, decisions.backlog, decisions.pollers) == ("decision", 1, ())
    assert (work.kind, work.pollers, work.ghosts) == ("activity", ("one", "two"), 1)


def unserved(account: Account) -> dict[str, float]:
    """For how long each list has had waiting tasks and no workers, in seconds."""
    return {
        each.name: account.now - each.unserved_since
        for each in account.engine.task_lists()
        if each.unserved_since is not None
    }


def test_a_list_whose_tasks_wait_without_workers_is_unserved() -> None:
    """From the end of its last poll or task on, until a worker polls it."""
    account = Account()
    account.start()
    account.after(7)
    assert unserved(account) == {DECISIONS: 7.0}
    account.decide(schedule(), schedule(activityId="two"))
    account.after(3)
    assert unserved(account) == {ACTIVITIES: 3.0}
    task = account.poll_activity()
    account.after(10)
    assert ACTIVITIES not in unserved(account), "its worker is busy"
    account.complete(task)
    account.after(2)
    assert unserved(account)[ACTIVITIES] == 2.0
    account.poll_activity()
    assert ACTIVITIES not in unserved(account)

"""Timers."""

from tests.garcon.local.engine.account import START, Account, attributes, decision, timer

CANCEL_T = decision("CancelTimer", timerId="t")


def test_a_timer_fires_at_its_time() -> None:
    """It fires once and not before, and a decision task follows."""
    account = Account()
    run = account.start()
    account.decide(decision("StartTimer", timerId="t", startToFireTimeout="5", control="c"))
    assert account.last(run, "TimerStarted") == {
        "timerId": "t",
        "startToFireTimeout": "5",
        "control": "c",
        "decisionTaskCompletedEventId": 4,
    }
    assert account.engine.next_deadline() == START + 5
    account.after(4.999)
    assert account.types(run)[-1] == "TimerStarted"
    account.after(1000)
    assert account.types(run)[-2:] == ["TimerFired", "DecisionTaskScheduled"]
    assert account.last(run, "TimerFired") == {"timerId": "t", "startedEventId": 5}


def test_events_have_the_time_they_were_due() -> None:
    """A timer fires at its time, even if the clock is advanced later."""
    account = Account()
    run = account.start()
    account.decide(timer("b", "20"), timer("a", "10"))
    account.after(1000)
    fired = [each for each in account.history(run) if each["eventType"] == "TimerFired"]
    assert [each["eventTimestamp"] for each in fired] == [START + 10, START + 20]


def test_timers_due_in_one_moment_fire_in_the_order_of_their_start() -> None:
    """An execution that ends in that moment gets no event of a later one."""
    account = Account()
    run = account.start(executionStartToCloseTimeout="9")
    account.decide(timer("b", "5"), timer("a", "5"), timer("late", "9"))
    account.after(9)
    fired = [each for each in account.history(run) if each["eventType"] == "TimerFired"]
    assert [attributes(each)["timerId"] for each in fired] == ["b", "a"]
    assert account.types(run)[-1] == "WorkflowExecutionTimedOut"


def test_a_timer_of_nothing_fires_at_once() -> None:
    """A duration of 0 is due now."""
    account = Account()
    run = account.start()
    account.decide(timer(seconds="0"))
    assert account.engine.next_deadline() == START
    account.after(0)
    assert account.last(run, "TimerFired")["timerId"] == "t"


def test_a_cancelled_timer_does_not_fire() -> None:
    """The decider made the decision itself, so no decision task follows."""
    account = Account()
    run = account.start()
    account.decide(timer(), CANCEL_T)
    assert account.last(run, "TimerCanceled") == {
        "timerId": "t",
        "startedEventId": 5,
        "decisionTaskCompletedEventId": 4,
    }
    account.after(100)
    assert account.types(run)[-1] == "TimerCanceled"


def test_a_timer_id_is_free_after_its_end() -> None:
    """It is in use while the timer is open, and free once it has fired or was cancelled."""
    account = Account()
    run = account.start()
    account.decide(timer(), timer())
    assert account.last(run, "StartTimerFailed") == {
        "timerId": "t",
        "cause": "TIMER_ID_ALREADY_IN_USE",
        "decisionTaskCompletedEventId": 4,
    }
    account.after(5)
    account.decide(timer(), CANCEL_T, timer())
    assert account.types(run)[-1] == "TimerStarted"


def test_a_timer_that_fired_unseen_cannot_be_cancelled() -> None:
    """The event of the failure has the cause."""
    account = Account()
    run = account.start()
    account.decide(timer())
    account.signal()
    task = account.poll_decision()
    account.after(5)
    account.respond(task, CANCEL_T)
    assert account.last(run, "CancelTimerFailed")["cause"] == "TIMER_ID_UNKNOWN"


def test_open_timers_have_a_limit() -> None:
    """One timer too many is refused."""
    account = Account(open_timers=1)
    run = account.start()
    account.decide(timer("a"), timer("b"))
    assert account.last(run, "StartTimerFailed")["cause"] == "OPEN_TIMERS_LIMIT_EXCEEDED"

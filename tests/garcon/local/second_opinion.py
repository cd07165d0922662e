"""Where moto is known to differ: the conformance test, and what moto does.

Each of these tests runs on moto too and must fail there, so the list stays true. `docs/local.md`
lists the same sentences, each with the reason why the local SWF's behaviour is the service's.
A test with parameters is named with those that fail, where not all do.
"""

NO_CHILDREN = "no child workflows: the decision raises NotImplementedError"
NO_CANCEL = "no cancelling of activities: the decision raises NotImplementedError"
NO_PAGES = "no pages of histories: a poll tells the whole history, whatever page was asked for"
NO_DEPRECATION = "a deprecated domain starts executions, and keeps its types"

MOTO_DIFFERS: dict[str, str] = {
    "test_a_higher_priority_is_served_first": "no priorities: tasks are handed out in turn",
    "test_a_decision_task_holds_the_history": (
        "a first decision task does not say previousStartedEventId"
    ),
    "test_the_history_comes_in_pages": NO_PAGES,
    "test_a_page_token_of_a_poll_is_for_polls": NO_PAGES,
    "test_a_close_that_has_not_seen_all_fails": (
        "no UNHANDLED_DECISION: an execution closes over a signal that its decider has not seen"
    ),
    "test_a_scheduled_activity_repeats_its_timeouts": (
        "ActivityTaskScheduled tells the timeouts of the decision, and not those of the type"
    ),
    "test_an_activity_id_is_free_again_after_its_end": (
        "the id of a closed activity is refused as ACTIVITY_ID_ALREADY_IN_USE, so a retry under "
        "the same id never runs"
    ),
    "test_a_task_of_a_closed_execution_is_unknown[respond_activity_task_canceled]": (
        "no RespondActivityTaskCanceled"
    ),
    "test_canceling_a_waiting_activity_closes_it": NO_CANCEL,
    "test_canceling_a_started_activity_asks_its_worker": NO_CANCEL,
    "test_canceling_an_unknown_activity_fails": NO_CANCEL,
    "test_a_deprecated_domain_starts_nothing": NO_DEPRECATION,
    "test_deprecating_a_domain_deprecates_its_types": NO_DEPRECATION,
    "test_only_a_deprecated_type_is_deleted": "no DeleteActivityType, no DeleteWorkflowType",
    "test_a_run_id_has_46_characters": "run ids are 32 hexadecimal digits",
    "test_executions_are_counted_and_listed": (
        "no CountOpenWorkflowExecutions, no CountClosedWorkflowExecutions"
    ),
    "test_lists_come_in_pages": "no pages of lists: what is beyond the first page is not told",
    "test_pending_tasks_are_counted": "a decision task that was taken still counts as pending",
    "test_a_signal_brings_a_decision_task": "a signal does not say externalInitiatedEventId",
    "test_an_execution_signals_another": (
        "no signals between executions: the decision raises NotImplementedError"
    ),
    "test_an_execution_asks_another_to_cancel": (
        "no requests to cancel between executions: the decision raises NotImplementedError"
    ),
    "test_a_request_to_cancel_is_the_deciders_business": "no RequestCancelWorkflowExecution",
    "test_an_execution_continues_as_new": (
        "no continuing as new: the decision raises NotImplementedError"
    ),
    "test_what_an_execution_starts_with_is_told": (
        "an execution's start does not say parentInitiatedEventId"
    ),
    "test_a_child_tells_its_parent": NO_CHILDREN,
    "test_a_child_that_cannot_start_is_an_event": NO_CHILDREN,
    "test_a_terminated_parent_treats_its_children_by_policy": NO_CHILDREN,
}

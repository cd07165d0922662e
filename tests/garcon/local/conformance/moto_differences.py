"""The known differences of moto: each with its conformance test and moto's behaviour.

Each of these tests runs on moto too and must fail there, so the list stays true. `docs/local.md`
lists the same sentences, each with the evidence that the local SWF's behaviour is the service's.
A test with parameters is named with the failing ones, if only some fail.
"""

NO_CHILDREN = "no child workflows: the decision raises NotImplementedError"
NO_CANCEL = "no cancelling of activities: the decision raises NotImplementedError"
NO_PAGES = "no pages of histories: a poll returns all events, whatever page was requested"
NO_DEPRECATION = "a deprecated domain starts executions, and keeps its types"

MOTO_DIFFERS: dict[str, str] = {
    "test_a_higher_priority_is_served_first": "no priorities: tasks are given out in turn",
    "test_a_decision_task_holds_the_history": (
        "a first decision task has no previousStartedEventId"
    ),
    "test_the_history_comes_in_pages": NO_PAGES,
    "test_a_page_token_of_a_poll_is_for_polls": NO_PAGES,
    "test_a_close_with_unseen_events_fails": (
        "no UNHANDLED_DECISION: an execution closes before its decider has seen a signal"
    ),
    "test_a_scheduled_activity_repeats_its_timeouts": (
        "ActivityTaskScheduled has the timeouts of the decision, but not those of the type"
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
    "test_executions_are_listed_by_workflow_id": (
        "executionFilter is ignored: a list has the executions of all workflow ids"
    ),
    "test_lists_come_in_pages": "no pages of lists: executions beyond the first page are missing",
    "test_pending_tasks_are_counted": "a decision task that was started still counts as pending",
    "test_a_signal_leads_to_a_decision_task": "a signal has no externalInitiatedEventId",
    "test_an_execution_signals_another": (
        "no signals between executions: the decision raises NotImplementedError"
    ),
    "test_an_execution_requests_the_cancel_of_another": (
        "no requests to cancel between executions: the decision raises NotImplementedError"
    ),
    "test_a_request_to_cancel_is_for_the_decider": "no RequestCancelWorkflowExecution",
    "test_an_execution_continues_as_new": (
        "no continuing as new: the decision raises NotImplementedError"
    ),
    "test_the_first_event_has_the_settings": ("an execution's start has no parentInitiatedEventId"),
    "test_a_child_is_in_its_parents_history": NO_CHILDREN,
    "test_a_child_that_cannot_start_is_an_event": NO_CHILDREN,
    "test_a_terminated_parent_applies_its_child_policy": NO_CHILDREN,
}

"""Tests that show what the items of the reference do, for ``test_reference``."""

from __future__ import annotations

SHOWN_BY: dict[str, tuple[str, ...]] = {
    "activity: create()": ("test_both_call_forms_make_the_same_activity",),
    "activity: options of the function that create returns: name, run or tasks, …": (
        "test_all_options_are_taken_over",
        "test_older_option_names_are_accepted",
        "test_the_activity_s_handler_wins",
    ),
    "activity: options external, timeout, heartbeat": (
        "test_external_activities_have_their_timeouts",
    ),
    "activity: Activity(), Activity(); version, task_list": (
        "test_hydrate_leaves_other_options_as_they_are",
    ),
    "activity: Activity.instances()": (
        "test_several_generators_combine",
        "test_no_turn_is_no_instance",
    ),
    "activity: Activity.poll_for_activity()": (
        "test_throttled_polls_are_attempted_five_times",
        "test_a_polled_task_has_the_members_of_the_response",
    ),
    "activity: Activity.run()": (
        "test_a_quick_task_costs_two_calls",
        "test_a_failed_poll_is_reported_and_followed_by_a_pause",
    ),
    "activity: Activity.execute_activity(), a dictionary or an execution": (
        "test_execute_activity_takes_an_execution_or_a_context",
    ),
    "activity: ActivityExecution(), .context": (
        "test_the_released_constructor_gives_context_as_a_dict",
    ),
    "activity: ActivityExecution.heartbeat()": (
        "test_long_heartbeat_details_are_cut_with_a_mark",
        "test_a_request_to_cancel_is_kept_and_logged_once",
    ),
    "activity: ActivityExecution.fail(), complete()": (
        "test_fail_sends_255_characters",
        "test_complete_sends_the_result",
    ),
    "activity: ActivityInstance.activity_name, id": (
        "test_id_without_generators_is_name_and_one",
        "test_id_with_generators_is_name_and_key",
    ),
    "activity: ActivityInstance.timeout, heartbeat_timeout, schedule_to_start, …": (
        "test_timeouts_add_up",
        "test_default_wait_is_ten_minutes",
    ),
    "activity: ActivityInstance.retry, runner": (
        "test_retry_is_the_activity_s",
        "test_a_missing_runner_is_named",
    ),
    "activity: ActivityInstance.create_execution_input()": (
        "test_input_is_what_the_tasks_need",
        "test_input_of_tasks_that_are_not_filled_is_the_whole_context",
    ),
    "activity: ActivityInstanceNotReadyException": ("test_result_and_wait_raise_until_ready",),
    "activity: ActivityState(): add_state, get_last_state, ready, result, …": (
        "test_the_last_state_counts",
        "test_a_result_is_set_once_even_a_falsy_one",
    ),
    "activity: ACTIVITY_STANDBY, ACTIVITY_SCHEDULED, ACTIVITY_COMPLETED, ACTIVITY_FAILED": (
        "test_documented_constants_have_their_values",
    ),
    "activity: ActivityWorker(), run()": (
        "test_each_activity_has_its_thread",
        "test_a_worker_may_serve_some_activities",
    ),
    "activity: ExternalActivity(), run()": ("test_external_activities_end_at_once",),
    "activity: count_activity_failures()": ("test_failures_are_counted_in_all_forms",),
    "activity: find_activities(), find_uncomplete_activities()": (
        "test_uncomplete_is_all_that_has_not_completed",
    ),
    "activity: find_available_activities()": (
        "test_requirements_are_all_instances_of_all_activities",
    ),
    "activity: find_workflow_activities()": ("test_activities_are_found_in_dir_order_and_once",),
    "activity: worker_runner()": ("test_each_activity_has_its_thread",),
    "activity: DEFAULT_ACTIVITY_SCHEDULE_TO_START": ("test_default_wait_is_ten_minutes",),
    "decider: DeciderWorker()": ("test_a_decider_registers_when_it_is_made",),
    "decider: DeciderWorker.register()": (
        "test_existing_types_are_used",
        "test_deprecated_types_are_refused",
        "test_other_refusals_are_raised",
    ),
    "decider: DeciderWorker.run()": ("test_run_polls_decides_and_answers",),
    "decider: DeciderWorker.get_history(), get_history()": (
        "test_all_pages_of_the_history_are_fetched",
    ),
    "decider: DeciderWorker.get_activity_states()": ("test_get_activity_states_folds_the_history",),
    "decider: DeciderWorker.create_decisions_from_flow()": (
        "test_a_flow_goes_from_its_first_activity_to_completion",
        "test_exhausted_retries_fail_the_workflow",
    ),
    "decider: DeciderWorker.delegate_decisions()": (
        "test_a_custom_decider_schedules_and_uses_results",
    ),
    "decider: decider(), decider()": (
        "test_the_signature_decides_whether_a_decider_receives_the_context",
    ),
    "decider: ScheduleContext(), mark_uncompleted()": (
        "test_a_missing_requirement_keeps_the_workflow_open",
    ),
    "decider: ensure_requirements()": (
        "test_ensure_requirements_passes_completed_states",
        "test_requirements_come_first",
    ),
    "decider: schedule()": (
        "test_a_new_use_is_scheduled_under_its_id",
        "test_generated_instances_are_all_scheduled_and_merged",
    ),
    "decider: overriding get_history, get_activity_states, …": (
        "test_run_calls_all_overridden_methods",
    ),
    "decider: schedule_activity_task()": (
        "test_scheduling_carries_all_timeouts_as_strings",
        "test_an_id_may_be_given",
    ),
    "new in deciders: schedule()": (
        "test_priority_is_the_call_s_the_activity_s_or_the_flow_s",
        "test_a_failed_activity_that_may_fail_does_not_end_the_workflow",
    ),
    "new in deciders: schedule.timer()": ("test_a_timer_is_started_waited_for_and_over",),
    "new in deciders: schedule.signal()": ("test_signals_are_read_in_their_order",),
    "new in deciders: schedule.child()": (
        "test_a_child_has_its_own_flow_s_attributes",
        "test_a_failed_child_fails_the_workflow_unless_it_may_fail",
    ),
    "new in deciders: schedule.lambda_()": ("test_an_activity_replaces_a_failed_lambda_function",),
    "new in deciders: schedule.marker(), schedule.side_effect()": (
        "test_markers_are_recorded_once_each",
        "test_side_effects_happen_once",
    ),
    "new in deciders: schedule.version()": (
        "test_a_version_is_recorded_and_stays",
        "test_executions_past_the_change_go_on_without",
    ),
    "new in deciders: schedule.cancel(), schedule.cancel_all()": (
        "test_cancelling_is_requested_once_and_lets_the_workflow_complete",
        "test_a_thing_cancelled_in_its_first_run_is_not_begun",
    ),
    "new in deciders: schedule.continue_as_new()": ("test_continuing_as_new_is_the_only_decision",),
    "new in deciders: schedule.all_of(), schedule.any_of()": (
        "test_any_of_keeps_its_first",
        "test_all_of_has_all_results_in_their_order",
    ),
    "new in deciders: the flow's on_cancel()": (
        "test_a_request_to_cancel_ends_activities_and_then_the_execution",
        "test_a_cancelled_dinner_is_cleared_away",
    ),
    "new in deciders: the flow's priority, tags, deterministic": (
        "test_a_flow_may_be_declared_not_deterministic",
    ),
    "new in deciders: create(), restartable=, priority=)": (
        "test_a_retry_waits",
        "test_the_supervisor_s_reasons_are_read",
    ),
    "new in deciders: retry.Retry, retry.Cause, retry.TIMED_OUT": ("test_on_and_unless_choose",),
    "new in deciders: StateOutcome, EndKind, State, Waitable": (
        "test_a_failed_child_fails_the_workflow_unless_it_may_fail",
    ),
    "new in deciders: TRANSIENT, MOOT, CURES": ("test_every_cause_of_the_model_is_of_one_kind",),
    "new in deciders: same id, other input: an error": (
        "test_the_same_id_with_another_input_is_an_error",
    ),
    "new in deciders: decider.nondeterminism.NonDeterminism ()": (
        "test_a_non_deterministic_decider_decides_nothing",
    ),
    "new in deciders: no open execution without something to come": (
        "test_no_flow_hangs_whatever_happens",
        "test_reading_three_kinds_of_events_hangs",
    ),
    "event, context: event.activity_states_from_events()": ("test_states_are_by_name_and_id",),
    "event, context: event.get_current_context(), a dictionary and an ExecutionContext": (
        "test_context_is_the_documented_dict_and_the_released_object",
    ),
    "event, context: context.ExecutionContext(): current, workflow_input, add(), …": (
        "test_results_are_merged_in_event_order",
    ),
    "event, context: ExecutionContext.set_workflow_execution_info()": (
        "test_execution_info_comes_from_the_poll",
    ),
    "log: GarconLogger: logger, set_log_context(), unset_log_context()": (
        "test_logger_follows_set_and_unset",
        "test_threads_do_not_overwrite_each_other",
    ),
    "log: get_logger_namespace(), LOGGER_PREFIX": ("test_namespace_is_domain_workflow_run",),
    "runner: BaseRunner(): execute(), timeout(), heartbeat(), requirements()": (
        "test_timeouts_are_the_sum_and_heartbeat_the_longest",
        "test_requirements_are_all_filled_keys",
    ),
    "runner: Sync()": (
        "test_sync_passes_results_to_later_tasks",
        "test_the_activity_s_context_wins_over_earlier_results",
    ),
    "runner: Async()": ("test_async_runs_in_parallel_up_to_max_workers",),
    "runner: External()": ("test_external_needs_a_timeout_and_the_whole_context",),
    "runner: NoRunnerRequirementsFound, RunnerMissing": (
        "test_a_task_that_is_not_filled_needs_the_whole_context",
        "test_a_missing_runner_is_named",
    ),
    "runner: DEFAULT_TASK_TIMEOUT, DEFAULT_TASK_HEARTBEAT ()": (
        "test_documented_constants_have_their_values",
    ),
    "task, param: task.decorate()": (
        "test_filled_tasks_have_requirements_and_timeouts",
        "test_decorate_sets_the_heartbeat_to_the_timeout_and_timeout_does_not",
    ),
    "task, param: task.timeout(), task.contextify()": ("test_decorators_stack_in_any_order",),
    "task, param: .fill() of a decorated task": (
        "test_a_filled_task_gets_values_from_the_context",
        "test_results_are_namespaced",
    ),
    "task, param: task.fill_function_call()": (
        "test_missing_values_are_none_and_unfilled_defaults_hold",
    ),
    "task, param: task.list(), task.is_task_list(), task.flatten()": (
        "test_flatten_includes_nested_task_lists",
    ),
    "task, param: task.namespace_result()": ("test_results_are_namespaced",),
    "task, param: param.Param(), param.StaticParam(), param.BaseParam ())": (
        "test_own_params_of_both_kinds_have_requirements",
    ),
    "task, param: param.parametrize(), param.get_all_requirements(), …": (
        "test_anything_else_is_refused_with_a_hint",
    ),
    "utils: create_dictionary_key()": ("test_key_is_the_sha1_that_running_executions_carry",),
    "utils: non_throttle_error()": ("test_only_a_throttle_is_not_a_non_throttle_error",),
    "utils: throttle_backoff_handler()": ("test_backoff_handler_logs_attempt_and_wait",),
    "own workers: Activity.attempt() -> AttemptOutcome ()": (
        "test_an_exception_of_a_task_is_a_failure_with_its_traceback",
    ),
    "own workers: Activity.respond() -> bool": ("test_finished_work_is_sent_until_it_is_accepted",),
    "own workers: Activity.perform()": ("test_a_quick_task_costs_two_calls",),
    "own workers: ActivityExecution.workflow_id, run_id, activity_name, …": (
        "test_a_polled_task_has_the_members_of_the_response",
    ),
    "own workers: validation.check(), errors.InvalidFlow": (
        "test_a_flow_that_cannot_work_is_refused_before_anything_is_sent",
    ),
    "own workers: errors.NotADictionary": (
        "test_a_result_that_is_not_a_dictionary_is_an_error",
        "test_a_generator_returns_dictionaries",
    ),
    "own workers: payload.codec.NotSendable": (
        "test_values_without_a_json_form_are_refused_with_their_key",
    ),
    "own workers: event.TruncatedHistory": ("test_a_history_without_its_beginning_is_refused",),
    "own workers: errors.GarconError": ("test_all_exceptions_have_one_base",),
    "own workers: activity.TaskGone, activity.TaskCanceled": (
        "test_heartbeat_of_a_gone_task_raises_with_the_reason",
        "test_a_task_may_agree_to_be_cancelled",
    ),
    "own workers: garcon.Schedule, garcon.ActivityExecution, …": (
        "test_the_objects_that_flows_receive_are_public",
        "test_all_options_of_an_activity_are_typed",
    ),
    "own workers: Activity.poll_once(), DeciderWorker.poll_once()": (
        "test_poll_once_is_not_retried",
    ),
    "own workers: DeciderWorker() or sticky=decider.Sticky(), DeciderWorker.leave(), …": (
        "test_a_process_receives_only_new_events",
        "test_leaving_polls_the_private_list_while_tasks_come",
    ),
    "own workers: DeciderWorker.poll(), decide(), respond()": (
        "test_malformed_decisions_fail_the_workflow",
        "test_the_same_task_decided_twice_is_decided_alike",
    ),
    "own workers: decider.registrations(), decider.RegistrationRefused": (
        "test_registrations_are_in_swf_s_order",
    ),
    "own workers: decider.return_task()": ("test_returning_a_task_brings_the_next_at_once",),
    "own workers: client.configure(), client.warm()": (
        "test_the_command_line_wins_over_the_flow_s_client",
        "test_warm_builds_all_clients",
    ),
    "own workers: client.polling(), client.calling()": (
        "test_polls_are_waited_for_and_never_sent_twice",
    ),
    "own workers: client.use()": ("test_a_test_s_client_is_used_for_everything_within_its_block",),
    "differs: an activity that timed out was not noticed, and the workflow stalled": (
        "test_every_timeout_is_a_failure_with_its_type",
    ),
    "differs: cancelled and refused activities were not noticed": (
        "test_refused_activities_do_not_hang_the_workflow",
        "test_transient_refusals_are_waited_for",
    ),
    "differs: a request to cancel the execution was ignored": (
        "test_a_request_to_cancel_ends_activities_and_then_the_execution",
    ),
    "differs: a non-deterministic decider sent wrong decisions": (
        "test_a_non_deterministic_decider_decides_nothing",
    ),
    "differs: a failing poll was repeated at once": (
        "test_a_failed_poll_is_reported_and_followed_by_a_pause",
    ),
    "differs: registration printed and ignored every error": ("test_other_refusals_are_raised",),
    "differs: a throttled completion was reported as a failure": (
        "test_faults_delay_a_flow_and_do_not_change_it",
    ),
    "differs: polls were re-sent by botocore after a minute": (
        "test_polls_are_waited_for_and_never_sent_twice",
    ),
    "differs: a request to cancel an activity was dropped": (
        "test_a_request_to_cancel_is_kept_and_logged_once",
    ),
    "differs: two activities in threads overwrote each other's log context": (
        "test_threads_do_not_overwrite_each_other",
    ),
    "differs: ActivityWorker polled without an identity": ("test_a_poll_without_identity_has_one",),
    "differs: a local variable context made a decider receive the context": (
        "test_a_local_variable_called_context_is_not_a_parameter",
    ),
    "differs: a task's timeout of 0, and arguments in fill that the task does not …": (
        "test_a_duration_of_0_counts_as_not_given",
        "test_a_task_s_durations_are_numbers_above_0",
        "test_only_arguments_that_a_task_has_are_filled",
    ),
    "differs: a task's result of 0, False or an empty list counted as none": (
        "test_a_result_that_is_not_a_dictionary_is_an_error",
    ),
    "differs: wrong arguments of a decider caused errors of Python or of SWF": (
        "test_a_decider_s_mistake_is_named",
    ),
    "differs: a heartbeat before every task": (
        "test_no_heartbeat_is_sent_before_the_first_task_of_a_recent_poll",
    ),
    "differs: a task that called nothing for its heartbeat timeout was lost": (
        "test_a_silent_task_outlives_three_heartbeat_timeouts",
    ),
    "differs: inputs and results that were too large failed in SWF": (
        "test_too_large_names_size_and_largest_key",
    ),
}
"""Each item, or difference from the releases, and the tests that show it."""

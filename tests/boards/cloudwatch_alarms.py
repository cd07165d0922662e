"""CloudWatch's alarms as a CloudFormation template, from the table of alarms.

An alarm of a task list is made for each list of a parameter, by ``Fn::ForEach``.
"""

from __future__ import annotations

from typing import Any

import yaml

from supervisor.sidecars.emf_lines import NAMESPACE
from tests.boards.alarms import ALARMS, Alarm, Statistic, Watch

HEADER = """\
# Alarms on the metrics of --emf, for one flow. docs/cloudwatch.md has the reasons for the
# thresholds. Made by: python -m tests.boards
"""

OPERATIONS = (
    "PollForActivityTask",
    "PollForDecisionTask",
    "RecordActivityTaskHeartbeat",
    "RespondActivityTaskCompleted",
    "RespondDecisionTaskCompleted",
    "StartWorkflowExecution",
)
"""Calls of workers, deciders and starters, whose throttles delay executions."""


class _Plain(yaml.SafeDumper):
    """Writes a value that occurs twice twice: CloudFormation takes no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        """Whether a value is written out."""
        return True


def text() -> str:
    """The file."""
    return HEADER + yaml.dump(template(), Dumper=_Plain, sort_keys=False, width=96)


def template() -> dict[str, Any]:
    """The template."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::LanguageExtensions",
        "Description": "Alarms of one SWF flow's workers, on the metrics that --emf writes.",
        "Parameters": _parameters(),
        "Resources": {
            **{each.name: _of_hosts(each) for each in ALARMS if _scope(each) == "host"},
            "Fn::ForEach::Lists": [
                "TaskList",
                {"Ref": "TaskLists"},
                {
                    f"{each.name}&{{TaskList}}": _of_list(each)
                    for each in ALARMS
                    if _scope(each) == "list"
                },
            ],
            "Fn::ForEach::Operations": [
                "Operation",
                list(OPERATIONS),
                {
                    f"{each.name}${{Operation}}": _of_operation(each)
                    for each in ALARMS
                    if _scope(each) == "operation"
                },
            ],
        },
    }


def _scope(alarm: Alarm) -> str:
    return alarm.watch.scope if alarm.watch else ""


def _parameters() -> dict[str, Any]:
    return {
        "Flow": {
            "Type": "String",
            "Default": "myflow",
            "Description": "Name of the flow: the dimension Flow of its metrics.",
        },
        "TaskLists": {
            "Type": "CommaDelimitedList",
            "Default": "myflow,myflow_resize",
            "Description": "Its task lists, as `status` names them; at least one.",
        },
        "Topic": {
            "Type": "String",
            "AllowedPattern": "arn:[^:]+:sns:.+",
            "Description": "ARN of the SNS topic that alarms are sent to.",
        },
        "MinHosts": {
            "Type": "Number",
            "Default": 1,
            "MinValue": 1,
            "Description": "Hosts that must serve.",
        },
        "BacklogPerWorker": {
            "Type": "Number",
            "Default": 10,
            "MinValue": 0.1,
            "Description": "Waiting tasks for each worker; of lists that --scale counts.",
        },
    }


def _of_hosts(alarm: Alarm) -> dict[str, Any]:
    return _alarm(alarm, {"Fn::Sub": f"${{Flow}} {alarm.name}"}, [_flow()])


def _of_list(alarm: Alarm) -> dict[str, Any]:
    dimensions = [_flow(), {"Name": "TaskList", "Value": {"Ref": "TaskList"}}]
    return _alarm(alarm, {"Fn::Sub": f"${{Flow}} {alarm.name} ${{TaskList}}"}, dimensions)


def _of_operation(alarm: Alarm) -> dict[str, Any]:
    dimensions = [_flow(), {"Name": "Operation", "Value": {"Ref": "Operation"}}]
    return _alarm(alarm, {"Fn::Sub": f"${{Flow}} {alarm.name} ${{Operation}}"}, dimensions)


def _flow() -> dict[str, Any]:
    return {"Name": "Flow", "Value": {"Ref": "Flow"}}


def _alarm(alarm: Alarm, name: Any, dimensions: list[Any]) -> dict[str, Any]:
    watch = alarm.watch
    assert watch
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": name,
            "AlarmDescription": f"{alarm.severity}. {alarm.reason} First look: {alarm.look}.",
            "Metrics": [
                *(_metric(id_, each, watch, dimensions) for id_, each in watch.values.items()),
                {"Id": "compared", "Expression": watch.expression, "Label": alarm.name},
            ],
            "ComparisonOperator": _operator(watch),
            "Threshold": {"Ref": watch.above} if isinstance(watch.above, str) else watch.above,
            "EvaluationPeriods": watch.periods,
            "TreatMissingData": "breaching" if watch.is_missing_bad else "notBreaching",
            **_ACTIONS,
        },
    }


_ACTIONS = {"AlarmActions": [{"Ref": "Topic"}], "OKActions": [{"Ref": "Topic"}]}


def _metric(id_: str, value: Statistic, watch: Watch, dimensions: list[Any]) -> dict[str, Any]:
    metric = {"Namespace": NAMESPACE, "MetricName": value.metric, "Dimensions": dimensions}
    statistic = {"Metric": metric, "Period": watch.period, "Stat": value.statistic}
    return {"Id": id_, "MetricStat": statistic, "ReturnData": False}


def _operator(watch: Watch) -> str:
    return "LessThanThreshold" if watch.is_below else "GreaterThanThreshold"

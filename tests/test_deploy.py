"""The kit in examples/deploy: each file is checked by a tool that knows its format."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from cfnlint import decode

from supervisor import options
from supervisor.systemd import unit

KIT = Path(__file__).parent.parent / "examples" / "deploy"

UNIT = KIT / "garcon-myflow.service"

STACK = KIT / "stack.yaml"

CFN_LINT, HADOLINT = (Path(sys.executable).with_name(name) for name in ("cfn-lint", "hadolint"))
"""Beside the interpreter, which need not be on the path."""


def tool(*command: str | Path) -> str:
    """Run a tool that must have nothing to say."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    """The template's resources."""
    template, problems = decode.decode(str(STACK))
    assert template is not None, problems
    return dict(json.loads(json.dumps(template))["Resources"])


# --- the unit -------------------------------------------------------------------------------------


def test_the_unit_is_what_the_command_prints() -> None:
    """Whoever changes the one changes the other."""
    argv = ("--flow", "myflow")
    host = unit.Host("/opt/myflow/.venv/bin/python", "/opt/myflow")
    assert UNIT.read_text() == unit.unit(options.read(argv, {}), argv, {}, host)


def test_the_environment_file_holds_settings_only() -> None:
    """Each line is an assignment that systemd and the supervisor understand."""
    lines = (KIT / "garcon-myflow.env").read_text().splitlines()
    said = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert not options.read(("--flow", "myflow"), said).unknown
    assert {"AWS_REGION", "GARCON_WORKERS"} <= said.keys()


# --- the container --------------------------------------------------------------------------------


@pytest.mark.skipif(not HADOLINT.exists(), reason="no hadolint for this machine")
def test_the_dockerfile_is_sound() -> None:
    """Hadolint finds nothing."""
    tool(HADOLINT, KIT / "Dockerfile")


def test_the_dockerfile_copies_what_is_there() -> None:
    """Every file that it takes from the repository exists."""
    lines = [line.split() for line in (KIT / "Dockerfile").read_text().splitlines()]
    copied = [each for word, *each in filter(None, lines) if word == "COPY"]
    sources = [name for each in copied if "--from" not in each[0] for name in each[:-1]]
    assert sources
    assert [name for name in sources if not (KIT.parent.parent / name).exists()] == []


# --- the stack ------------------------------------------------------------------------------------


def test_the_template_is_sound() -> None:
    """cfn-lint finds nothing, not even a warning."""
    checks = ("--include-checks", "I", "W", "--")
    tool(CFN_LINT, *checks, STACK)


def test_the_user_data_is_a_shell_script(resources: dict[str, Any]) -> None:
    """Filled in by CloudFormation, it can be parsed by the shell that runs it."""
    data = resources["Template"]["Properties"]["LaunchTemplateData"]["UserData"]
    script = data["Fn::Base64"]["Fn::Sub"].replace("${AWS::", "${AWS_")
    read = subprocess.run(
        ["bash", "-n"], input=script, check=False, capture_output=True, text=True, timeout=60
    )
    assert (read.returncode, read.stderr) == (0, "")


def actions(policy: dict[str, Any]) -> set[str]:
    """What a policy allows."""
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    named = [each["Action"] for each in statements]
    return {one for each in named for one in ([each] if isinstance(each, str) else each)}


def test_policies_name_every_action(resources: dict[str, Any]) -> None:
    """No wildcard in an action: who reads a policy sees what it allows."""
    for name in ("WorkerPolicy", "DeciderPolicy", "OperatorPolicy"):
        assert not [each for each in actions(resources[name]) if "*" in each]


def test_workers_deciders_and_operators_are_apart(resources: dict[str, Any]) -> None:
    """Who does tasks cannot decide or start, who decides cannot do tasks, nobody else can end."""
    worker, decider, operator = (
        actions(resources[f"{each}Policy"]) for each in ("Worker", "Decider", "Operator")
    )
    assert "swf:StartWorkflowExecution" not in worker | decider
    assert "swf:TerminateWorkflowExecution" not in worker | decider
    assert not {each for each in worker if "Decision" in each or "Register" in each}
    assert not {each for each in decider if "ActivityTask" in each} - {
        "swf:ScheduleActivityTask",
        "swf:RequestCancelActivityTask",
    }
    assert not {each for each in operator if "Poll" in each or "Respond" in each}


def test_deciders_may_decide_all_that_garcon_can(resources: dict[str, Any]) -> None:
    """SWF asks for a permission for each decision; lambda functions need a role of their own."""
    model = boto3.client("swf", region_name="us-east-1").meta.service_model
    decisions = {f"swf:{each}" for each in model.shape_for("DecisionType").metadata["enum"]}
    assert decisions - actions(resources["DeciderPolicy"]) == {"swf:ScheduleLambdaFunction"}


def test_the_counter_counts(resources: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The function that is in the template asks SWF and tells CloudWatch, in words they know."""
    code = resources["Counter"]["Properties"]["Code"]["ZipFile"]
    clients = {name: boto3.client(name, region_name="us-east-1") for name in ("swf", "cloudwatch")}
    monkeypatch.setattr(boto3, "client", clients.__getitem__)
    for name, value in {"DOMAIN": "photos", "TASK_LIST": "myflow_resize"}.items():
        monkeypatch.setenv(name, value)
    with Stubber(clients["swf"]) as swf, Stubber(clients["cloudwatch"]) as watch:
        asked = {"domain": "photos", "taskList": {"name": "myflow_resize"}}
        swf.add_response("count_pending_activity_tasks", {"count": 7}, asked)
        dimensions = [
            {"Name": "Domain", "Value": "photos"},
            {"Name": "TaskList", "Value": "myflow_resize"},
        ]
        datum = {"MetricName": "PendingActivityTasks", "Dimensions": dimensions, "Value": 7}
        told = {"Namespace": "garcon", "MetricData": [{**datum, "Unit": "Count"}]}
        watch.add_response("put_metric_data", {}, told)
        names: dict[str, Any] = {}
        exec(compile(code, "counter", "exec"), names)  # noqa: S102 - it is the kit's own
        names["handler"]({}, None)
        swf.assert_no_pending_responses()
        watch.assert_no_pending_responses()


def test_the_metric_is_the_one_that_the_group_follows(resources: dict[str, Any]) -> None:
    """Name, namespace and dimensions of what is written and what is read are the same."""
    tracking = resources["Scaling"]["Properties"]["TargetTrackingConfiguration"]
    queries = tracking["CustomizedMetricSpecification"]["Metrics"]
    (metric,) = [each["MetricStat"]["Metric"] for each in queries if each["Id"] == "backlog"]
    assert (metric["Namespace"], metric["MetricName"]) == ("garcon", "PendingActivityTasks")
    assert [each["Name"] for each in metric["Dimensions"]] == ["Domain", "TaskList"]

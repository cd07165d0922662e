"""The kit in examples/deploy: each file is checked by a tool that knows its format."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import kubernetes_validate
import pytest
import yaml
from botocore import xform_name
from botocore.stub import Stubber
from botocore.validate import validate_parameters

from supervisor.cli import sources, unit

pytestmark = pytest.mark.slow

KIT = Path(__file__).parent.parent / "examples" / "deploy"

LOCAL_SWF = KIT.parent.parent / "garcon" / "local"

MADE_BY_NAME = {"DescribeActivityType", "DescribeWorkflowType", "RegisterWorkflowType"}
"""Calls whose names ``garcon/decider/registration/flow_types.py`` puts together."""

POLL_SECONDS = 60
"""An open poll, which a drain waits for, lasts up to a minute."""

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
    from cfnlint import decode  # noqa: PLC0415 - slow to import: not for a run of the fast tests

    template, problems = decode.decode(str(STACK))
    assert template is not None, problems
    return dict(json.loads(json.dumps(template))["Resources"])


# --- the unit -------------------------------------------------------------------------------------


def test_the_unit_is_what_the_command_prints() -> None:
    """Whoever changes the one changes the other."""
    argv = ("--flow", "myflow")
    host = unit.Host("/opt/myflow/.venv/bin/python", "/opt/myflow")
    assert UNIT.read_text() == unit.unit(sources.read(argv, {}), argv, {}, host)


def test_the_environment_file_holds_settings_only() -> None:
    """Each line is an assignment that systemd and the supervisor understand."""
    lines = (KIT / "garcon-myflow.env").read_text().splitlines()
    said = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert not sources.read(("--flow", "myflow"), said).warnings
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


def test_options_of_a_container_keep_its_spool_and_its_socket() -> None:
    """They are variables: the options of ``docker run`` take the place of CMD."""
    text = (KIT / "Dockerfile").read_text()
    assert {"GARCON_SPOOL=", "GARCON_CONTROL="} <= {
        word.partition("=")[0] + "=" for word in text.split() if "=" in word
    }


def test_ecs_takes_the_task_definition() -> None:
    """It is a RegisterTaskDefinition request of ECS's model, and its variables are settings."""
    task = json.loads((KIT / "ecs-task.json").read_text())
    model = boto3.client("ecs", region_name="us-east-1").meta.service_model
    validate_parameters(task, model.operation_model("RegisterTaskDefinition").input_shape)
    (container,) = task["containerDefinitions"]
    variables = {each["name"]: each["value"] for each in container["environment"]}
    parsed = sources.read(container["command"], variables)
    assert not parsed.warnings
    drain = parsed.settings.drain_timeout
    assert drain is not None
    assert drain < container["stopTimeout"]


def test_kubernetes_takes_the_deployment() -> None:
    """It fits the strict schema of apps/v1, and its grace period is longer than its drain."""
    deployment = yaml.safe_load((KIT / "kubernetes.yaml").read_text())
    kubernetes_validate.validate(deployment, "1.33", strict=True)
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    variables = {each["name"]: each["value"] for each in container["env"]}
    parsed = sources.read(container["args"], variables)
    assert not parsed.warnings
    drain = parsed.settings.drain_timeout
    assert drain is not None
    assert drain + POLL_SECONDS <= pod["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("file", ["ecs-task.json", "kubernetes.yaml", "Dockerfile"])
def test_containers_are_asked_whether_they_are_healthy(file: str) -> None:
    """Each form of container runs the command of health checks."""
    words = re.sub(r'[",\s\[\]]+', " ", (KIT / file).read_text())
    assert "python -m supervisor status --healthy" in words


# --- the stack ------------------------------------------------------------------------------------


def test_the_template_is_sound() -> None:
    """cfn-lint finds nothing, not even a warning."""
    checks = ("--include-checks", "I", "W", "--")
    tool(CFN_LINT, *checks, STACK)


def user_data(resources: dict[str, Any], **values: str) -> str:
    """The script of a host as CloudFormation fills it in."""
    data = resources["Template"]["Properties"]["LaunchTemplateData"]["UserData"]
    script, _ = data["Fn::Base64"]["Fn::Sub"]
    for name in re.findall(r"\$\{([A-Za-z:]+)\}", script):
        script = script.replace(f"${{{name}}}", values.get(name, "value"))
    return str(script)


def test_the_user_data_is_a_shell_script(resources: dict[str, Any]) -> None:
    """The shell that runs it can parse it, and EC2 takes no more than 16 KiB."""
    script = user_data(resources)
    read = subprocess.run(
        ["bash", "-n"], input=script, check=False, capture_output=True, text=True, timeout=60
    )
    assert (read.returncode, read.stderr) == (0, "")
    assert len(script.encode()) <= 16 * 1024


def test_metrics_go_the_way_of_the_log(resources: dict[str, Any]) -> None:
    """With ``Metrics`` they are written to standard output, which the agent reads as a file."""
    data = resources["Template"]["Properties"]["LaunchTemplateData"]["UserData"]
    _, values = data["Fn::Base64"]["Fn::Sub"]
    name, value = values["MetricsSetting"]["Fn::If"][1].split("=")
    assert sources.read((), {"GARCON_FLOW": "album", name: value}).settings.emf == "-"
    script = user_data(resources, Flow="album")
    assert "StandardOutput=append:/var/log/garcon-album.log" in script
    assert '"file_path": "/var/log/garcon-album.log"' in script


FAKES = {
    "aws": 'tar -czf - -C "$SOURCE" .',
    "opt/album/.venv/bin/pip": "exit 0",
    "opt/album/.venv/bin/python": """\
        echo "$@" >> "$CALLS"
        case "$*" in *restart*) exit $FAILS;; esac""",
}
"""Stand-ins for what a host has: a bucket, pip, and a supervisor that takes a restart or not."""


@pytest.mark.parametrize("fails", [0, 1])
def test_new_code_is_linked_only_where_its_workers_stay(
    resources: dict[str, Any], tmp_path: Path, fails: int
) -> None:
    """A restart that is stopped leaves the link at the code before, and so does a reboot."""
    for name, text in FAKES.items():
        program = tmp_path / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/bash\n{text}\n")
        program.chmod(0o755)
    script = user_data(resources, Flow="album").replace("/opt/album", f"{tmp_path}/opt/album")
    for name, end in (("garcon-deploy", "DEPLOY"), ("garcon-redeploy", "REDEPLOY")):
        text = script.partition(f"<<'{end}'\n")[2].partition(f"\n{end}\n")[0]
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    source = tmp_path / "source"
    source.mkdir()
    (source / "requirements.txt").touch()
    environment = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "SOURCE": str(source),
        "CALLS": str(tmp_path / "calls"),
        "FAILS": str(fails),
    }

    def run(*command: str) -> int:
        done = subprocess.run(
            command, env=environment, check=False, capture_output=True, timeout=60
        )
        return done.returncode

    assert run("garcon-deploy", "album-1.tar.gz") == 0
    code = tmp_path / "opt/album/code"
    assert code.resolve().name == "album-1"
    assert run("garcon-redeploy", "album-2.tar.gz") == fails
    assert code.resolve().name == ("album-1" if fails else "album-2")
    assert "restart --wait" in (tmp_path / "calls").read_text()
    assert (code / "requirements.txt").exists()


def actions(policy: dict[str, Any]) -> set[str]:
    """The actions that a policy allows."""
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    named = [each["Action"] for each in statements]
    return {one for each in named for one in ([each] if isinstance(each, str) else each)}


def test_policies_name_every_action(resources: dict[str, Any]) -> None:
    """No wildcard in an action: the reader of a policy sees what it allows."""
    for name in ("WorkerPolicy", "DeciderPolicy", "OperatorPolicy"):
        assert not [each for each in actions(resources[name]) if "*" in each]


def test_workers_deciders_and_operators_are_apart(resources: dict[str, Any]) -> None:
    """Workers cannot decide or start, deciders cannot do tasks, only operators can terminate."""
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


def test_no_permission_is_unused(resources: dict[str, Any]) -> None:
    """Each action is a call in the packages' code, or a decision that they make."""
    code = "\n".join(
        path.read_text()
        for package in ("garcon", "supervisor")
        for path in (KIT.parent.parent / package).rglob("*.py")
        if LOCAL_SWF not in path.parents  # it serves every call
    )
    permitted = set().union(
        *(actions(resources[f"{each}Policy"]) for each in ("Worker", "Decider", "Operator"))
    )
    names = {each.removeprefix("swf:") for each in permitted} - MADE_BY_NAME
    assert [each for each in names if xform_name(each) not in code and each not in code] == []


def test_a_host_is_replaced_only_by_one_that_is_ready(resources: dict[str, Any]) -> None:
    """Creation and updates wait for the signal that the user data sends after READY."""
    hosts = resources["Hosts"]
    assert hosts["UpdatePolicy"]["AutoScalingRollingUpdate"]["WaitOnResourceSignals"] is True
    assert hosts["CreationPolicy"]["ResourceSignal"]["Count"] == {"Ref": "MinHosts"}
    script = user_data(resources)
    assert script.index("trap 'signal $?' EXIT") < script.index("systemctl enable --now")
    assert "--no-block" not in script


def test_the_counter_counts(resources: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The template's function reads from SWF and writes to CloudWatch, in their words."""
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

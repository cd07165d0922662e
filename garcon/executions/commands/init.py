"""``init``: a new project with a flow, its test, a Makefile and a CI file."""

import argparse
import keyword
from importlib.resources import files
from pathlib import Path
from string import Template

from garcon.executions.commands.output import Output
from garcon.executions.errors import WorkflowError

_FILES = {
    "flow.py": "{name}.py",
    "test_flow.py": "test_{name}.py",
    "requirements.txt": "requirements.txt",
    "Makefile": "Makefile",
    "ci.yml": ".github/workflows/ci.yml",
}
"""Each template, and the file that is made of it."""

_EXAMPLES = {"coffee": ("coffee.py", "coffee.py")}


class ProjectRefused(WorkflowError):
    """The project cannot be written: its name is no module's, or a file is there already."""


def init(args: argparse.Namespace, out: Output) -> int:
    """``init``: write the files of a new project into a folder of its name."""
    name: str = args.project
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ProjectRefused(f"{name!r} is not a module name: use letters, digits and underscores.")
    folder = Path(name)
    texts = {folder / made.format(name=name): _text(of, name) for of, made in _FILES.items()}
    if args.example:
        source, made = _EXAMPLES[args.example]
        texts[folder / made] = _text(source, name)
    if existing := [str(path) for path in texts if path.exists()]:
        raise ProjectRefused(f"{', '.join(existing)} exists already; nothing is written.")
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ProjectRefused(f"{error.filename} cannot be written: {error.strerror}.") from error
    names = [str(path) for path in texts]
    out.answer({"files": names}, "\n".join([*names, "", f"Next: cd {name} && make test run"]))
    return 0


def _text(template: str, name: str) -> str:
    text = files("garcon").joinpath("project_template", f"{template}.txt").read_text("utf-8")
    if template == "coffee.py":
        return text.replace("examples.coffee", "coffee")
    return Template(text).substitute(name=name)

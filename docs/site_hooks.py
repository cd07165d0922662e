"""Hooks of the site: what pages link to beside ``docs`` becomes part of it.

Pages of the project's root (such as ``CONTRIBUTING.md``) and its examples are
read from where they are. Links between them are relative in the repository; on
the site all lie in one folder.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
FOLDERS = ("examples",)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages and files beside ``docs``."""
    found = [
        path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    ]
    for path in (*(ROOT / page for page in PAGES), *found):
        if "__pycache__" not in path.parts:
            name = str(path.relative_to(ROOT))
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fit the links to the site's folder."""
    if page.file.src_uri in PAGES:
        return re.sub(r"\]\(docs/", "](", markdown)
    return (
        re.sub(r"\]\(\.\./", "](", markdown)
        if "/" not in page.file.src_uri
        else markdown
    )

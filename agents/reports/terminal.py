"""What commands print: names and paths as they are, and where the results lie in a line or two."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from envs.command_line import shown


def terminal() -> Console:
    """A console that takes nothing in a text for markup: folders may be called `[a]` and `:b:`."""
    return Console(markup=False, emoji=False, highlight=False)


def print_results(console: Console, folder: Path, written: Iterable[Path]) -> None:
    """Say where the files are, and which to open first if one of them is a page."""
    files = list(written)
    console.print(f"{len(files)} files in {shown(folder)}", soft_wrap=True)
    for page in (path for path in files if path.suffix == ".html"):
        console.print(f"report      {shown(page)}", soft_wrap=True)

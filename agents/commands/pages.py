"""Fill README and docs with the numbers that commands wrote: `python -m agents pages`.

What stands in a page between `<!-- from NAME -->` and `<!-- end -->` is the template `docs/blocks/NAME.md`, or the
printed output `docs/results/NAME.txt`. Numbers come from `docs/results`; `manifest.json` there names the command of
every file and picture, and the weights and profile that were shipped when they were taken over.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from omegaconf import DictConfig

from agents.evaluation.statistics import Interval
from agents.reports.tables import way_text
from envs import checks, costs, plans
from envs.command_line import command, plain
from envs.files import whole_file, write_text

PAGES = ("README.md", "docs/*.md")
BLOCK = re.compile(r"(?P<start><!-- from (?P<name>[\w/]+) -->\n)(?P<body>.*?)(?P<end><!-- end -->)", re.DOTALL)
PICTURE = re.compile(r"!\[[^]]*\]\((?P<path>[^)]+)\)")
MANIFEST = "docs/results/manifest.json"


@dataclass(frozen=True)
class PagesSettings:
    """`configs/pages.yaml`.

    Attributes:
        root: the folder of README.md and docs.
        taken: file below `root` -> where a run wrote it; what is not there stays as it is.
        commands: pattern of files below `root` -> the command that makes them.
        inputs: patterns of what the numbers were measured with.
    """

    root: str
    taken: Mapping[str, str]
    commands: Mapping[str, str]
    inputs: list[str]


def pages(root: Path) -> list[Path]:
    """The pages of a checkout."""
    return [page for pattern in PAGES for page in sorted(root.glob(pattern))]


def pictures(root: Path) -> set[str]:
    """The pictures that the pages show, as paths below the checkout."""
    return {
        (page.parent / shown["path"]).resolve().relative_to(root.resolve()).as_posix()
        for page in pages(root)
        for shown in PICTURE.finditer(page.read_text(encoding="utf-8"))
    }


def filled(text: str, root: Path) -> str:
    """A page with its blocks made anew.

    Raises:
        ValueError: a block without a template, or one whose numbers are missing.
    """
    templates = Environment(
        loader=FileSystemLoader(root / "docs" / "blocks"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals |= {
        "rows": partial(_rows, root),
        "row": partial(_row, root),
        "card": partial(_card_cell, root),
        "operations": costs.counted_operations(),
        "link_s": _link_s,
        "plans": plans,
        "costs": costs,
        "devices": {"edge": costs.RTX_A6000, "user": costs.GTX_1080_TI},
        "inf": math.inf,
        "way": _way,
    }

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        printed = root / "docs" / "results" / f"{name}.txt"
        if printed.is_file():
            body = f"```text\n{printed.read_text(encoding='utf-8').rstrip()}\n```\n"
        else:
            body = templates.get_template(f"{name}.md").render().rstrip() + "\n"
        return f"{match['start']}{body}{match['end']}"

    return BLOCK.sub(block, text)


def manifest(root: Path, commands: Mapping[str, str], inputs: list[str]) -> dict[str, Any]:
    """Every result and picture with its command and hash, and the hashes of what they were measured with."""
    made = {path: line for pattern, line in commands.items() for path in _found(root, pattern)}
    return {
        "files": {path: {"command": made[path], "sha256": sha256(root / path)} for path in sorted(made)},
        "inputs": {path: sha256(root / path) for pattern in inputs for path in _found(root, pattern)},
    }


def sha256(path: Path) -> str:
    """Of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _found(root: Path, pattern: str) -> Iterator[str]:
    return (
        path.relative_to(root).as_posix() for path in sorted(root.glob(pattern)) if path.name != Path(MANIFEST).name
    )


def _rows(root: Path, name: str) -> list[dict[str, Any]]:
    """A CSV file of `docs/results`, numbers as numbers."""
    with (root / "docs" / "results" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return [{key: _number(value) for key, value in row.items()} for row in csv.DictReader(file)]


def _row(root: Path, name: str, /, **keys: Any) -> dict[str, Any]:
    """The one row of a file in which all keys have these values."""
    found = [row for row in _rows(root, name) if all(row[key] == value for key, value in keys.items())]
    if len(found) != 1:
        raise ValueError(f"{name}.csv has {len(found)} rows with {keys}, one is needed")
    return found[0]


def _way(row: Mapping[str, Any]) -> str:
    """How much of the way to the bound the row of a table covers, with the interval where the table has it."""
    limits = (row.get(f"way_to_bound_{end}", math.nan) for end in ("low", "high"))
    return way_text(Interval(row["way_to_bound"], *limits)).replace("%", " %").replace("95  %", "95 %")


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _card_cell(root: Path, column: str, *start: str) -> str:
    """A cell of a table of the model card: the column, and how the row starts."""
    header: list[str] = []
    for line in (root / "envs/transceiver/weights/embedded/README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        header = cells if column in cells else header
        if header and cells[: len(start)] == list(start):
            return cells[header.index(column)]
    raise ValueError(f"the model card has no column {column!r} in a row that starts with {', '.join(start)}")


def _link_s(plan: plans.Plan, link: str) -> float:
    """Seconds on the link at 20 MHz and -6 dB."""
    return costs.price(plan, snr_db=-6.0, bandwidth_hz=20e6, link=link).latency_parts_s["link"]


@command("pages")
def main(config: DictConfig) -> None:
    """Take results over, fill the pages, write the manifest."""
    settings = checks.parse(PagesSettings, plain(config))
    root = Path(settings.root)
    for target, source in settings.taken.items():
        if Path(source).is_file():
            with whole_file(root / target) as partial:
                shutil.copyfile(source, partial)
    for page in pages(root):
        text = page.read_text(encoding="utf-8")
        write_text(page, filled(text, root))
    found = manifest(root, settings.commands, settings.inputs)
    if unknown := sorted(pictures(root) - set(found["files"])):
        raise ValueError(f"no command is known for the pictures {', '.join(unknown)}: name it in configs/pages.yaml")
    write_text(root / MANIFEST, json.dumps(found, indent=1, sort_keys=True) + "\n")
    print(f"wrote {', '.join(page.name for page in pages(root))} and {MANIFEST}")

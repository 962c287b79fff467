"""One self-contained HTML page: pictures inline, no script, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from envs.files import whole_file

TEMPLATE = "report.html"
DOTS_A_PIXEL = 1.6
"""Of the figures: their letters are then as large as those of the page."""


@dataclass(frozen=True)
class TableCell:
    """A cell of a table: text, and after it, smaller, its interval."""

    text: str
    spread: str = ""


@dataclass(frozen=True)
class PageTable:
    """Headings, rows of cells, and a line below."""

    headings: Sequence[str]
    rows: Sequence[Sequence[TableCell]]
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """A PNG and its size on the page, in CSS pixels."""

    base64: str
    width: int
    height: int
    caption: str

    @classmethod
    def read(cls, path: Path, caption: str) -> Picture:
        """Take a PNG file in."""
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
        encoded = base64.b64encode(data).decode("ascii")
        return cls(encoded, round(width / DOTS_A_PIXEL), round(height / DOTS_A_PIXEL), caption)


@dataclass(frozen=True)
class Part:
    """A piece of a section, with a heading of its own where it has a title; pictures stand before tables, or beside."""

    title: str = ""
    tables: Sequence[PageTable] = ()
    pictures: Sequence[Picture] = ()
    beside: bool = False


@dataclass(frozen=True)
class Section:
    """A chapter of the page; `anchor` is its address in it."""

    anchor: str
    title: str
    text: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Page:
    """What the page says.

    Attributes:
        title, lead: the heading and the line below.
        finding: the result in a sentence.
        sections: the chapters.
        command: the exact command.
        notes: what was left out, a sentence each.
        facts: heading -> what it was made with, by name.
        configuration: the resolved configuration, as YAML.
    """

    title: str
    lead: str
    finding: str
    sections: Sequence[Section]
    command: str
    notes: Sequence[str] = ()
    facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    configuration: str = ""


def write_page(page: Page, path: Path) -> None:
    """Write the page; what it says is escaped."""
    environment = Environment(loader=PackageLoader("agents.reports"), autoescape=True, undefined=StrictUndefined)
    text = environment.get_template(TEMPLATE).render(
        title=page.title,
        lead=page.lead,
        finding=page.finding,
        sections=page.sections,
        command=page.command,
        notes=page.notes,
        tables_of_facts=list(page.facts.items()),
        configuration=page.configuration,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")

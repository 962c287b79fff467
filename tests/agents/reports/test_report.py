from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agents.evaluation.trials import COLUMNS, Trial
from agents.reports.html import Page, PageTable, Part, Picture, Section, TableCell, write_page
from agents.reports.numbers import Numbers
from agents.reports.provenance import command_line, file_fingerprint, library_versions, policy_files
from agents.reports.report import Source, write_report

SOURCE = Source("python evaluate.py", {"Libraries": {"numpy": "2"}}, "seed: 0\n", {"paper": 20, "<iot>": 20}, ["gone"])


class Loads(HTMLParser):
    """Everything that a page would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.pictures = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "iframe", "object"):
            self.found.append(tag)
        for name, value in attrs:
            if name in ("src", "href") and value is not None and not value.startswith(("data:", "#")):
                self.found.append(value)
            self.pictures += name == "src"


@pytest.fixture
def trials() -> list[Trial]:
    rng = np.random.default_rng(0)
    shared = {name: rng.random(120) for name in COLUMNS} | {"episode": np.arange(120) // 10, "seed": np.zeros(120, int)}
    return [
        Trial(name, policy, shared | {"reward": rng.random(120)})
        for name in ("paper", "<iot>")
        for policy in ("oracle", "a & b")
    ]


def test_page_stands_alone(trials: list[Trial], tmp_path: Path) -> None:
    written = write_report(Numbers.of(trials, 2), tmp_path, SOURCE, 2)
    assert all(path.is_file() for path in written)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = Loads()
    page.feed(text)
    assert page.found == []
    assert page.pictures == len([path for path in written if path.suffix == ".png"])
    assert "a &amp; b" in text
    assert "&lt;iot&gt;" in text
    assert "<iot>" not in text
    assert "python evaluate.py" in text
    assert "<li>gone</li>" in text
    assert (tmp_path / "figures" / "_iot_" / "cells.pdf").is_file()


def test_same_trials_same_page(trials: list[Trial], tmp_path: Path) -> None:
    for name in "ab":
        write_report(Numbers.of(trials[:2], 2), tmp_path / name, SOURCE, 2)
    assert (tmp_path / "a" / "report.html").read_bytes() == (tmp_path / "b" / "report.html").read_bytes()


def test_one_policy_has_a_page_without_pairs(trials: list[Trial], tmp_path: Path) -> None:
    write_report(Numbers.of(trials[:1], 2), tmp_path, SOURCE, 2)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Probability of improvement" not in text
    assert "Performance profiles" in text


def test_every_part_of_a_section_is_on_the_page(tmp_path: Path) -> None:
    Image.new("RGB", (32, 16)).save(tmp_path / "x.png")
    table = PageTable(("A", "B"), [(TableCell("1", "±2"), TableCell("3"))], "below")
    part = Part("Part", [table], [Picture.read(tmp_path / "x.png", "seen")], beside=True)
    write_page(Page("T", "L", "", [Section("s", "S", "words", [part])], "run"), tmp_path / "page.html")
    text = re.sub(r"\s+", " ", (tmp_path / "page.html").read_text(encoding="utf-8"))
    assert '<td>1 <span class="spread">±2</span></td><td>3</td>' in text
    assert 'width="20" height="10" alt="seen"' in text
    assert '<section id="s"> <h2>S</h2> <p>words</p> <h3>Part</h3> <div class="beside">' in text


def test_provenance(tmp_path: Path) -> None:
    assert command_line("evaluate.py", ["policies=[a,b]", "seed=3"]) == "python evaluate.py 'policies=[a,b]' seed=3"
    assert {"Python", "numpy", "torch", "semaigc"} <= set(library_versions())
    (tmp_path / "policy.zip").write_bytes(b"")
    assert file_fingerprint(tmp_path / "policy.zip") == "e3b0c44298fc1c14"  # SHA-256 of nothing
    files = policy_files({"mine": str(tmp_path), "oracle": "oracle", "root": "root"})
    assert files["mine"] == tmp_path / "policy.zip"
    assert files["root"].name == "root.zip"
    assert "oracle" not in files

"""The pages of the repository show what `docs/results` holds, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from agents.commands.pages import MANIFEST, filled, manifest, pages, pictures, sha256
from agents.commands.reproduction import read_comparisons, reproduction_page
from agents.reports.scenario_page import scenarios_page

ROOT = Path(__file__).parents[3]
CONFIG = yaml.safe_load((ROOT / "configs" / "pages.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", pages(ROOT), ids=lambda page: page.name)
def test_every_block_of_a_page_is_what_its_file_says(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert filled(text, ROOT) == text, "make it again: python -m agents pages"


def test_whole_pages_are_made_of_the_numbers_that_are_kept() -> None:
    docs = ROOT / "docs"
    comparisons = read_comparisons(docs / "results" / "experiments")
    measured = json.loads((docs / "results" / "scenarios.json").read_text(encoding="utf-8"))
    assert reproduction_page(comparisons, "pictures/reproduction") == (docs / "reproduction.md").read_text("utf-8")
    assert scenarios_page(measured) == (docs / "scenarios.md").read_text("utf-8")


def test_every_result_and_picture_is_the_one_that_its_command_wrote() -> None:
    kept = json.loads((ROOT / MANIFEST).read_text(encoding="utf-8"))
    assert kept == manifest(ROOT, CONFIG["commands"], CONFIG["inputs"]), "make it again: python -m agents pages"


def test_every_picture_that_a_page_shows_has_a_command() -> None:
    assert pictures(ROOT) <= set(json.loads((ROOT / MANIFEST).read_text(encoding="utf-8"))["files"])


def test_nothing_is_kept_that_no_page_needs() -> None:
    kept = {path for path in json.loads((ROOT / MANIFEST).read_text(encoding="utf-8"))["files"] if path.endswith("png")}
    assert kept == pictures(ROOT)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A checkout with one page, one result and one picture."""
    (tmp_path / "docs" / "blocks").mkdir(parents=True)
    (tmp_path / "docs" / "results").mkdir()
    (tmp_path / "docs" / "blocks" / "mean.md").write_text('Mean {{ "%.1f" % row("found", name="a").mean }}.\n')
    (tmp_path / "docs" / "results" / "found.csv").write_text("name,mean\na,0.25\nb,0.75\n")
    (tmp_path / "docs" / "results" / "printed.txt").write_text("$ echo 1\n1\n")
    (tmp_path / "docs" / "picture.png").write_bytes(b"png")
    blocks = "".join(f"<!-- from {name} -->\nold\n<!-- end -->\n" for name in ("mean", "printed"))
    (tmp_path / "README.md").write_text(f"# Page\n\n![A picture](docs/picture.png)\n\n{blocks}")
    return tmp_path


def run(command: Callable[..., int], root: Path, *changes: str) -> int:
    settings = ["~taken", "+taken={}", "~commands", "inputs=[docs/results/*.csv]", *changes]
    return command("agents.commands.pages", f"root={root}", *settings)


def test_blocks_are_filled_and_files_get_their_commands(small: Path, command: Callable[..., int]) -> None:
    run(command, small, "+commands={docs/picture.png: draw, docs/results/found.csv: measure}")
    text = (small / "README.md").read_text()
    assert "<!-- from mean -->\nMean 0.2.\n<!-- end -->" in text
    assert "<!-- from printed -->\n```text\n$ echo 1\n1\n```\n<!-- end -->" in text
    files = json.loads((small / MANIFEST).read_text())["files"]
    assert files["docs/picture.png"] == {"command": "draw", "sha256": sha256(small / "docs" / "picture.png")}
    assert filled(text, small) == text


@pytest.mark.parametrize(("way", "said"), [("0.594", "covers 59 % of"), ("-9.4", "is below 0 on")])
def test_a_way_that_leads_back_has_no_per_cent(tmp_path: Path, way: str, said: str) -> None:
    (tmp_path / "docs" / "results").mkdir(parents=True)
    shutil.copytree(ROOT / "docs" / "blocks", tmp_path / "docs" / "blocks")
    (tmp_path / "docs" / "results" / "evaluate.csv").write_text(f"policy,way_to_bound\nroot,{way}\n")
    template = tmp_path / "docs" / "blocks" / "comparison.md"
    text = template.read_text(encoding="utf-8")
    template.write_text(text[text.index("{% set root") :], encoding="utf-8")  # without the table
    block = filled("<!-- from comparison -->\n<!-- end -->", tmp_path)
    assert f"ROOT {said} the way from the rule of two splits to the bound." in block


def test_a_number_that_moves_is_seen(small: Path, command: Callable[..., int]) -> None:
    run(command, small, "+commands={docs/picture.png: draw}")
    shutil.copy(small / "README.md", small / "docs" / "README.md")
    (small / "docs" / "results" / "found.csv").write_text("name,mean\na,0.35\nb,0.75\n")
    text = (small / "README.md").read_text()
    assert filled(text, small) != text


def test_a_picture_of_no_known_command_is_refused(
    small: Path, command: Callable[..., int], capsys: pytest.CaptureFixture
) -> None:
    assert run(command, small, "+commands={}") == 2
    assert "docs/picture.png" in capsys.readouterr().err

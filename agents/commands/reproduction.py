"""Make `docs/reproduction.md` from what the experiments wrote: `python -m agents reproduction`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from agents.experiments import EXPERIMENTS
from agents.experiments.shared.findings import COMPARISON_FILE, FULL, Claim
from envs import checks
from envs.command_line import argument, command, command_line, plain
from envs.files import picture_link, whole_file, write_text

INTRODUCTION = """# The papers, reproduced

Each figure of the SemAIGC paper, measured again with the embedded split diffusion transceiver, beside what the paper
states; then what follows from prices alone in the papers on EUCI and on mobile edge generation, and what no paper has.
Every number and every verdict below is computed from the outputs of one command:

    python evaluate.py experiment=NAME     # one of the experiments, into outputs/experiments/NAME
    python -m agents reproduction           # this page from them

Seconds and bits are at the scale of Stable Diffusion v1-5, image quality is the embedded model's. Bands and intervals
are 95 %, over sampled states, sessions or requests. "paper" lines compare with the paper's statement, "project" lines
with a bar of our own; where they differ the reason follows, with its figures.
"""


def read_comparisons(folder: Path) -> list[dict[str, Any]]:
    """What the experiments of a folder found, in the order of the report.

    Raises:
        ValueError: none has been run, one of them only in small, or a file that an experiment did not write.
    """
    found = []
    for name in EXPERIMENTS:
        path = folder / name / COMPARISON_FILE
        if not path.is_file():
            continue
        try:
            comparison = json.loads(path.read_text(encoding="utf-8"))
            [Claim(**claim) for claim in comparison["claims"]]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is not a comparison that an experiment wrote: {error}") from error
        if comparison.get("size", FULL) != FULL:
            raise ValueError(
                f"{path} is of size={comparison['size']} and measures nothing; run it whole: {_run_of(name)}"
            )
        found.append(comparison)
    if not found:
        raise ValueError(f"{folder} holds no experiment: run {_run_of(EXPERIMENTS[0])} first")
    return found


def _run_of(name: str) -> str:
    """The command that runs an experiment."""
    return command_line("python evaluate.py", [argument("experiment", name)])


def reproduction_page(comparisons: Sequence[Mapping[str, Any]], pictures: str) -> str:
    """The page in Markdown.

    Args:
        comparisons: see `read_comparisons`.
        pictures: folder of the pictures, as the page links to it.
    """
    lines = [INTRODUCTION, "| experiment | shows | lines that agree or are met |", "|---|---|---|"]
    for each in comparisons:
        judged = [claim for claim in each["claims"] if claim["met"] is not None]
        met = sum(bool(claim["met"]) for claim in judged)
        lines.append(f"| [`{each['name']}`](#{each['name']}) | {_cell(each['title'])} | {met} of {len(judged)} |")
    if missing := [name for name in EXPERIMENTS if name not in {each["name"] for each in comparisons}]:
        lines.append(f"\nNot run: {', '.join(f'`{name}`' for name in missing)}.")
    for each in comparisons:
        lines += ["", *_section(each, pictures)]
    return "\n".join(lines) + "\n"


def _section(comparison: Mapping[str, Any], pictures: str) -> list[str]:
    name = comparison["name"]
    lines = [f"## {name}", "", f"{comparison['title']}. `{_run_of(name)}`", ""]
    lines += [f"![{comparison['title']}]({pictures}/{figure})\n" for figure in comparison["figures"]]
    lines += ["| stated | measured | verdict |", "|---|---|---|"]
    for claim in (Claim(**each) for each in comparison["claims"]):
        lines.append(f"| {claim.source}: {_cell(claim.stated)} | {_cell(claim.measured)} | {_cell(claim.verdict)} |")
    lines.append("")
    lines += [f"- {note}" for note in comparison["notes"]]
    tables = ", ".join(f"`{table}`" for table in comparison["tables"])
    lines.append(f"- Numbers: {tables}. Made with {comparison['source']}, in {comparison['seconds']:.0f} s.")
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


@dataclass(frozen=True)
class ReproductionSettings:
    """`configs/reproduction.yaml`.

    Attributes:
        outputs: what the experiments wrote.
        document, pictures: the page, and the folder of its pictures below it.
        results: folder that keeps the numbers of the page.
    """

    outputs: str
    document: str
    pictures: str
    results: str


@command("reproduction")
def main(config: DictConfig) -> None:
    """Write the page and copy its pictures beside it, and its numbers."""
    settings = checks.parse(ReproductionSettings, plain(config))
    outputs, document, pictures = map(Path, (settings.outputs, settings.document, settings.pictures))
    link = picture_link(document, pictures)
    comparisons = read_comparisons(outputs)
    for each in comparisons:
        results = Path(settings.results) / each["name"]
        results.mkdir(parents=True, exist_ok=True)
        taken = {pictures: each["figures"], results: [COMPARISON_FILE, *each["tables"]]}
        for target, name in ((folder / name, name) for folder, names in taken.items() for name in names):
            with whole_file(target) as partial:
                shutil.copyfile(outputs / each["name"] / name, partial)
    write_text(document, reproduction_page(comparisons, link))
    print(f"wrote {document}: {len(comparisons)} of {len(EXPERIMENTS)} experiments")

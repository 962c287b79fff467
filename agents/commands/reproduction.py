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
from agents.experiments.shared.claims import Claim, Source, Verdict
from agents.experiments.shared.findings import COMPARISON_FILE, FULL
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
with a bar of our own; where they differ the reason follows, with its figures. The rule of a verdict stands in brackets:
a value agrees within a tolerance that was set before, an order where its intervals are clear of zero or of the margin,
a rise or a fall where the rank correlation is. What an interval leaves open is "undecided". "construction" lines could
not be otherwise; like what is only reported they are not counted.
"""

VERDICTS: tuple[Verdict, ...] = ("yes", "no", "undecided")


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
    lines = [INTRODUCTION, *_counts(comparisons)]
    if missing := [name for name in EXPERIMENTS if name not in {each["name"] for each in comparisons}]:
        lines.append(f"\nNot run: {', '.join(f'`{name}`' for name in missing)}.")
    for each in comparisons:
        lines += ["", *_section(each, pictures)]
    return "\n".join(lines) + "\n"


def _counts(comparisons: Sequence[Mapping[str, Any]]) -> list[str]:
    """Verdicts of each experiment, those on the papers' claims and those on our own bars apart."""
    lines = [
        "| experiment | shows | the paper: agrees, differs, undecided | our bars: met, not met, undecided |",
        "|---|---|---|---|",
    ]
    claims = {each["name"]: [Claim(**claim) for claim in each["claims"]] for each in comparisons}
    for each in comparisons:
        own = claims[each["name"]]
        counts = f"{_count(own, 'paper')} | {_count(own, 'project')}"
        lines.append(f"| [`{each['name']}`](#{each['name']}) | {_cell(each['title'])} | {counts} |")
    every = [claim for own in claims.values() for claim in own]
    return [*lines, f"| all | | {_count(every, 'paper')} | {_count(every, 'project')} |"]


def _count(claims: Sequence[Claim], source: Source) -> str:
    """How many of a source have each verdict, such as `3, 1, 0`; – where none is judged."""
    found = [claim.verdict for claim in claims if claim.counts and claim.source == source]
    return ", ".join(str(found.count(verdict)) for verdict in VERDICTS) if found else "–"


def _section(comparison: Mapping[str, Any], pictures: str) -> list[str]:
    name = comparison["name"]
    lines = [f"## {name}", "", f"{comparison['title']}. `{_run_of(name)}`", ""]
    lines += [f"![{comparison['title']}]({pictures}/{figure})\n" for figure in comparison["figures"]]
    lines += ["| stated | measured | verdict |", "|---|---|---|"]
    for claim in (Claim(**each) for each in comparison["claims"]):
        lines.append(f"| {_cell(claim.asked)} | {_cell(claim.measured)} | {_cell(claim.told)} |")
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

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from agents.evaluation.entries import COLUMNS, Entry
from agents.reports.numbers import Numbers
from agents.reports.page import Picture
from agents.reports.provenance import (
    Source,
    describe,
    environment_facts,
    file_fingerprint,
    library_versions,
    policy_files,
    script,
)
from agents.reports.report import write_report
from envs import SplitVectorEnv
from envs.transceiver import ACCEPTANCE_RULES, QualityProfile

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
def entries() -> list[Entry]:
    rng = np.random.default_rng(0)
    shared = {name: rng.random(120) for name in COLUMNS} | {"episode": np.arange(120) // 10, "seed": np.zeros(120, int)}
    shared["request"] = rng.integers(8, size=120)
    return [
        Entry(name, policy, shared | {"reward": rng.random(120)})
        for name in ("paper", "<iot>")
        for policy in ("oracle", "a & b")
    ]


def test_page_stands_alone(entries: list[Entry], tmp_path: Path) -> None:
    written = write_report(Numbers.from_trials(entries, 2), tmp_path, SOURCE, 2)
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


def test_a_way_that_leads_back_has_no_per_cent(entries: list[Entry], tmp_path: Path) -> None:
    shared = entries[0].outcomes
    policies = {"two_split": 0.5, "oracle_bound": 0.51, "mine": 0.1}
    own = [Entry("paper", name, shared | {"reward": np.full(120, mean)}) for name, mean in policies.items()]
    write_report(Numbers.from_trials(own, 2), tmp_path, SOURCE, 2)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<td>below 0</td>" in text
    assert "-4000" not in text


def test_same_trials_same_page(entries: list[Entry], tmp_path: Path) -> None:
    for name in "ab":
        write_report(Numbers.from_trials(entries[:2], 2), tmp_path / name, SOURCE, 2)
    assert (tmp_path / "a" / "report.html").read_bytes() == (tmp_path / "b" / "report.html").read_bytes()


def test_one_policy_has_a_page_without_pairs(entries: list[Entry], tmp_path: Path) -> None:
    write_report(Numbers.from_trials(entries[:1], 2), tmp_path, SOURCE, 2)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Probability of improvement" not in text
    assert "Performance profiles" in text


def test_training_runs_have_a_table_of_their_own(entries: list[Entry], tmp_path: Path) -> None:
    runs = [Entry("paper", "agent=ppo", entry.outcomes, f"run{seed}", seed) for seed, entry in enumerate(entries[:2])]
    write_report(Numbers.from_trials([*runs, entries[0]], 2), tmp_path, SOURCE, 2)
    text = re.sub(r"\s+", " ", (tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "<h1>Training runs compared</h1>" in text
    assert '<section id="runs"> <h2>Training runs</h2>' in text
    assert re.search(
        r'<td>run1</td><td>agent=ppo</td><td>1</td><td>0\.\d{3} <span class="spread">±0\.\d{3}</span>', text
    )


def test_a_picture_is_as_large_as_its_letters_need(tmp_path: Path) -> None:
    Image.new("RGB", (32, 16)).save(tmp_path / "x.png")
    picture = Picture.read(tmp_path / "x.png")
    assert (picture.width, picture.height) == (20, 10)


def test_a_script_that_is_not_here_is_started_by_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[3])
    assert script("train.py") == "python train.py"
    monkeypatch.chdir(tmp_path)
    assert script("train.py") == "python -m agents train"


def test_provenance(tmp_path: Path) -> None:
    assert {"Python", "numpy", "torch", "semaigc"} <= set(library_versions())
    (tmp_path / "policy.zip").write_bytes(b"")
    assert file_fingerprint(tmp_path / "policy.zip") == "e3b0c44298fc1c14"  # SHA-256 of nothing
    files = policy_files({"mine": str(tmp_path), "oracle": "oracle", "root": "root"}, ACCEPTANCE_RULES["alignment"])
    assert files["mine"] == tmp_path / "policy.zip"
    assert files["root"].name == "root_alignment.zip"
    assert "oracle" not in files


def test_a_report_says_rule_and_link(profile: QualityProfile) -> None:
    config = OmegaConf.create({"env": {"profile": None, "receiver": "finetuned", "fidelity": "profile"}})
    line = describe(config, SplitVectorEnv(1, profile=profile))
    assert "channel awgn" in line
    assert "link paper · acceptance similarity (ssim ≥ 0.8)" in line
    own = {"metric": "psnr_db", "least": 25}
    env = SplitVectorEnv(1, profile=profile, link="digital", acceptance=own)
    assert "channel none" in describe(config, env)
    facts = environment_facts(config, env)
    assert facts["Link"] == "digital"
    assert facts["Acceptance"] == "psnr_db ≥ 25, at most 3 attempts, 60 s"

"""Every experiment in miniature, through `evaluate.py`, and the page that is made of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import fields, replace
from importlib import import_module
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from PIL import Image

from agents.experiments import EXPERIMENTS, module_of
from agents.experiments.shared.claims import Claim
from envs.command_line import plain
from envs.transceiver import ModelOptions, TableKey, load_transceiver, networks_fingerprint
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.settings import MeasureParams, ReceiverAxes
from envs.transceiver.receivers import receiver_named
from tests.envs.transceiver.conftest import tiny_components
from tests.profiles import ALIGNMENT, FINGERPRINT, coded_part, synthetic_profile

CONFIGS = Path(__file__).parents[3] / "configs"
Command = Callable[..., int]

NETWORK = "agent.policy_kwargs.net_arch=[8]"
ROOT = ["experiment.root.total_requests=640", "experiment.root.agent.learning_starts=64", f"experiment.root.{NETWORK}"]
CURVES = ["experiment.episodes=16", "experiment.every_episodes=4", "experiment.agent.learning_starts=64"]
CURVES += [f"experiment.{NETWORK}", "experiment.num_envs=8"]
TINIER: dict[str, list[str]] = {
    **dict.fromkeys(("semaigc_fig4", "semaigc_fig5", "semaigc_fig7", "semaigc_fig8", "semaigc_fig9", "regret"), ROOT),
    "semaigc_fig6": CURVES,
    "ablations": CURVES,
    "transfer": CURVES[:2],
    "protocols": [*ROOT, 'experiment.plans=[semaigc,edge_aigc,"euci(3)"]'],  # the made-up profile has no others
    "future": ["experiment.backlog_step_s=5", "experiment.battery_step_j=1000", f"experiment.{NETWORK}"],
}
"""What a test need not wait for, beside `size=smoke`."""
LIVE = ("semaigc_fig4", "semaigc_fig5", "receivers", "eavesdropper")


@pytest.fixture(scope="session")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("experiments")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny random model, and a made-up profile that says it was measured with it."""
    folder = tmp_path_factory.mktemp("live")
    model, profile = folder / "model", folder / "profile.npz"
    components = tiny_components()
    for name in ("unet", "finetune_unet", "light_unet", "vae", "text_encoder", "classifier", "tokenizer", "scheduler"):
        getattr(components, name).save_pretrained(model / name)
    made_up = synthetic_profile(num_requests=3)
    params = MeasureParams(None, {"ignore": ReceiverAxes((20,))}, {"train": 3, "test": 3}, (-6.0, 0.0))
    parts = {}
    for (kind, name), part in made_up.parts.items():
        tables = {
            key: replace(table, fingerprint=fingerprint_of(model, key.receiver)) for key, table in part.tables.items()
        }
        parts[kind, name] = replace(part, requests=params.requests_of(name), tables=tables)
    QualityProfile(parts, 20, load_transceiver(model).fingerprint).save(profile)
    return model, profile


def fingerprint_of(model: Path, receiver: str) -> dict[str, str]:
    network = receiver_named(receiver).network
    return networks_fingerprint(model, ModelOptions(), 20, None, network) | {"channel": "awgn"}


def coded_profile(file: Path) -> Path:
    """A made-up profile with coded latents and images."""
    made_up = synthetic_profile()
    parts = {key: coded_part(part, {"u3": 0.7, "u4": 0.95}) for key, part in made_up.parts.items()}
    QualityProfile(parts, 20, FINGERPRINT).save(file)
    return file


def arguments_of(name: str, outputs: Path, profile_file: Path, tiny_model: tuple[Path, Path]) -> list[str]:
    model, live_profile = tiny_model
    tinier = TINIER.get(name, [])
    arguments = [f"experiment={name}", "size=smoke", f"hydra.run.dir={outputs / name}", *tinier]
    if tinier[:3] == ROOT:
        arguments.append(f"experiment.root.folder={outputs / 'agents'}")
    if name == "codecs":
        profile_file = coded_profile(outputs / "coded.npz")
    if name in LIVE:
        return [*arguments, f"env.profile={live_profile}", ALIGNMENT, f"transceiver.path={model}"]
    return [*arguments, f"env.profile={profile_file}", ALIGNMENT]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_writes_its_figure_numbers_and_comparison(
    command: Command, profile_file: Path, tiny_model: tuple[Path, Path], outputs: Path, name: str
) -> None:
    assert command("evaluate.py", *arguments_of(name, outputs, profile_file, tiny_model)) == 0
    folder = outputs / name
    comparison = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    assert comparison["name"] == name
    assert f"{name}.png" in comparison["figures"]
    for figure in comparison["figures"]:
        with Image.open(folder / figure) as image:
            assert min(image.size) > 200
        assert (folder / figure).with_suffix(".pdf").is_file()
    for table in comparison["tables"]:
        with (folder / table).open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert rows
        assert all(row.keys() == rows[0].keys() for row in rows)
    claims = [Claim(**claim) for claim in comparison["claims"]]
    assert claims
    for claim in claims:
        assert claim.measured
        assert bool(claim.rule) is claim.counts
        assert (claim.verdict == "yes") or claim.why or claim.verdict == "reported", f"no reason: {claim}"
    without = (
        "semaigc_prop2",
        "euci_fig8",
        "meg_fig6",
        "receivers",
        "eavesdropper",
        "steps",
        "codecs",
        "ablations",
        "transfer",
        "protocols",
        "future",
        "worth",
    )
    if name not in without:
        told = " ".join(claim.measured for claim in claims)
        assert "receiver finetuned" in told
        assert "receiver ignore" in told


def test_an_experiment_may_be_added_as_well_as_chosen(command: Command, profile_file: Path, tmp_path: Path) -> None:
    runs = {argument: tmp_path / name for argument, name in (("experiment", "chosen"), ("+experiment", "added"))}
    for argument, run in runs.items():
        settings = [f"{argument}=euci_fig8", "size=smoke", f"env.profile={profile_file}", ALIGNMENT]
        assert command("evaluate.py", *settings, f"hydra.run.dir={run}") == 0
    tables = [(run / "euci_fig8.csv").read_bytes() for run in runs.values()]
    assert tables[0] == tables[1]


def test_the_page_holds_every_experiment(command: Command, profile_file: Path, tmp_path: Path) -> None:
    outputs, document = tmp_path / "outputs", tmp_path / "page.md"
    small = {"semaigc_prop2": ["experiment.num_states=200"], "euci_fig8": ["experiment.num_inference_steps=20"]}
    for name, sizes in small.items():
        place = [f"env.profile={profile_file}", ALIGNMENT, f"hydra.run.dir={outputs / name}"]
        assert command("evaluate.py", f"experiment={name}", *sizes, *place) == 0
    settings = [f"outputs={outputs}", f"document={document}", f"pictures={tmp_path / 'pictures'}"]
    assert command("agents.commands.reproduction", *settings, f"results={tmp_path / 'results'}") == 0
    kept = tmp_path / "results" / "semaigc_prop2" / "semaigc_prop2.csv"
    assert kept.read_bytes() == (outputs / "semaigc_prop2" / "semaigc_prop2.csv").read_bytes()
    text = document.read_text(encoding="utf-8")
    for name in small:
        comparison = json.loads((outputs / name / "comparison.json").read_text(encoding="utf-8"))
        assert f"## {name}" in text
        assert f"pictures/{name}.png" in text
        assert (tmp_path / "pictures" / f"{name}.png").is_file()
        for claim in comparison["claims"]:
            assert claim["measured"].replace("|", "\\|") in text


def test_a_smoke_run_is_not_taken_for_a_result(
    command: Command, profile_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = [f"env.profile={profile_file}", ALIGNMENT, f"hydra.run.dir={tmp_path / 'euci_fig8'}"]
    assert command("evaluate.py", "experiment=euci_fig8", "size=smoke", *run) == 0
    assert "its numbers and verdicts say nothing" in " ".join(capsys.readouterr().out.split())
    settings = [f"outputs={tmp_path}", f"document={tmp_path / 'page.md'}", f"pictures={tmp_path / 'pictures'}"]
    assert command("agents.commands.reproduction", *settings) == 2
    error = capsys.readouterr().err
    assert "size=smoke and measures nothing; run it whole: python evaluate.py experiment=euci_fig8" in error
    assert not (tmp_path / "page.md").exists()


def test_the_page_of_nothing(command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = [f"outputs={tmp_path}", f"document={tmp_path / 'page.md'}", f"pictures={tmp_path / 'pictures'}"]
    assert command("agents.commands.reproduction", *settings) == 2
    assert "holds no experiment" in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()


def test_a_receiver_that_was_not_measured_is_named(
    command: Command, profile: QualityProfile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone, key = tmp_path / "alone.npz", TableKey("finetuned", 20)
    parts = {place: replace(part, tables={key: part.table(key)}) for place, part in profile.parts.items()}
    QualityProfile(parts, 20, profile.fingerprint).save(alone)
    settings = ["size=smoke", f"env.profile={alone}", ALIGNMENT, f"hydra.run.dir={tmp_path / 'run'}"]
    assert command("evaluate.py", "experiment=semaigc_fig7", *settings) == 0
    comparison = json.loads((tmp_path / "run" / "comparison.json").read_text(encoding="utf-8"))
    assert any(
        "ignore is left out: the profile holds finetuned (`python -m envs make_profile`" in note
        for note in comparison["notes"]
    )
    settings += ["experiment.receivers=[ignore]"]
    capsys.readouterr()
    assert command("evaluate.py", "experiment=semaigc_fig7", *settings) == 2
    assert "holds none of the receivers ignore" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["experiment=semaigc_fig1"], "semaigc_fig4"),
        (["experiment=semaigc_fig7", "experiment.name=other"], "allowed: semaigc_fig4"),
        (["experiment=semaigc_fig7", "+experiment.num_statse=3"], "num_statse"),
        (["experiment=semaigc_fig7", "experiment.num_states=0"], "num_states must be an integer >= 1"),
        (["experiment=semaigc_fig7", "experiment.snr_db=[3,0]"], "increasing"),
        (["experiment=semaigc_fig7", "experiment.receivers=[]"], "a list that is not empty"),
        (["experiment=semaigc_fig5", "experiment.snr_db=loud"], "a finite number"),
        (["experiment=semaigc_fig7", "num_requests=3"], "sizes the plain comparison"),
        (["experiment=semaigc_fig7", "env=protocols"], "env.plans=[semaigc]"),
        (["experiment=semaigc_fig7", "seed=-1"], "seed must be an integer >= 0"),
        (["experiment=semaigc_prop2", "experiment.splits=[0]"], "1..20"),
        (["experiment=semaigc_prop2", "experiment.rates=[0.5,1.5]"], "(0, 1)"),
        (["experiment=semaigc_fig4"], "measured with"),
        (["experiment=semaigc_fig7", "requests=unseen"], "unknown requests 'unseen'; allowed: train, test, all"),
        (["experiment=steps", "experiment.handovers=[0.5,1]"], "handovers must lie in (0, 1), got [0.5, 1]"),
        (["experiment=steps", "experiment.receiver=printed"], "no table of printed with T = 20 for its test requests"),
        (["experiment=euci_fig8", "experiment.rate_bps=0"], "rate_bps positive and finite"),
        (["experiment=meg_fig6", "experiment.height=100"], "height must be a positive multiple of 8, got 100"),
        (["experiment=meg_fig6", "experiment.servers=[0]"], "servers must be an integer >= 1, got 0"),
        (["experiment=transfer", "experiment.shares=[0.9,1.1]"], "shares must lie in (0, 1], got [0.9, 1.1]"),
        (["experiment=transfer", "experiment.scenarios=[psychic]"], "psychic"),
        (["experiment=transfer", "experiment.scenarios=[queue]"], "other networks"),
        (["experiment=transfer", "experiment.init_from=nowhere"], "'nowhere' is neither a name nor a file"),
        (["experiment=transfer", "+experiment.fitted.epsilon=1"], "epsilon"),
        (["experiment=protocols", "experiment.plans=[semaigc]"], "semaigc and more, got ['semaigc']"),
        (["experiment=protocols", "experiment.plans=[edge_aigc]"], "semaigc and more, got ['edge_aigc']"),
        (["experiment=protocols", "experiment.plans=[semaigc,esuc]"], "was not measured"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    command: Command,
    profile_file: Path,
    tmp_path: Path,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = [f"env.profile={profile_file}", ALIGNMENT, f"hydra.run.dir={tmp_path / 'run'}"]
    assert command("evaluate.py", *arguments, *settings) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert said in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("size", "folder"), [("full", "outputs/experiments"), ("smoke", "outputs/smoke")])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_shipped_configuration_fits_its_experiment(name: str, size: str, folder: str) -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("evaluate", overrides=[f"experiment={name}", f"size={size}"], return_hydra_config=True)
    given = plain(config.experiment)
    assert given.pop("name") == name
    assert set(given) == {field.name for field in fields(import_module(module_of(name)).Options)}
    assert config.hydra.run.dir == f"{folder}/{name}"
    assert given.get("root", {}).get("folder", "").startswith(folder if "root" in given else "")


def test_there_is_a_configuration_for_each_experiment_and_no_other() -> None:
    assert {file.stem for file in (CONFIGS / "experiment").glob("*.yaml")} == set(EXPERIMENTS)
    small = {file.stem for file in (CONFIGS / "size" / "experiment").glob("*.yaml")}
    assert small == {f"smoke_{name}" for name in EXPERIMENTS}

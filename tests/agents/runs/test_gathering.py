from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from agents.runs.gathering import gather, group_labels

SHAPE = {"env": {"receiver": "finetuned"}, "scenario": {"snr_db": 0}, "total_requests": 100, "policies": {"a": "a"}}
ZIP = b"PK\x05\x06" + bytes(18)  # the smallest whole one


def make_run(folder: Path, *, seed: int, policy: bytes | None = ZIP, agent: str = "dqn", **changes: object) -> None:
    folder.mkdir(parents=True)
    config = SHAPE | {"seed": seed, "agent": {"name": agent, "gamma": 0.99} | changes.pop("agent_keys", {}), **changes}  # type: ignore[operator]
    OmegaConf.save(OmegaConf.create(config), folder / "config.yaml")
    if policy is not None:
        (folder / "policy.zip").write_bytes(policy)


def test_seeds_are_runs_of_one_group(tmp_path: Path) -> None:
    for number, (agent, seed) in enumerate([("ppo", 1), ("dqn", 1), ("dqn", 0)]):
        make_run(tmp_path / f"{number}_{agent}", seed=seed, agent=agent, policies={"b": str(number)})
    (tmp_path / "multirun.yaml").write_text("hydra: {}")
    runs, left_out = gather(tmp_path, by_scenario=True)
    assert left_out == []
    assert [(run.group, run.seed, run.name) for run in runs] == [
        ("agent=ppo", 1, "0_ppo"),
        ("agent=dqn", 0, "2_dqn"),
        ("agent=dqn", 1, "1_dqn"),
    ]


def test_a_run_is_a_folder_of_runs_too(tmp_path: Path) -> None:
    make_run(tmp_path / "one", seed=3)
    assert [run.name for run in gather(tmp_path / "one", by_scenario=True)[0]] == ["one"]


def test_labels_name_what_differs() -> None:
    configs = [
        {"agent": {"name": "dqn", "gamma": 0.9, "tau": 1}, "total_requests": 5},
        {"agent": {"name": "dqn", "gamma": 0.99}, "total_requests": 5},
        {"agent": {"name": "ppo", "gamma": 0.5}, "total_requests": 7},
    ]
    assert group_labels(configs) == [
        "agent=dqn, gamma=0.9, tau=1, total_requests=5",
        "agent=dqn, gamma=0.99, tau=unset, total_requests=5",
        "agent=ppo, total_requests=7",
    ]


def test_scenarios_make_groups_or_not(tmp_path: Path) -> None:
    make_run(tmp_path / "a", seed=0)
    make_run(tmp_path / "b", seed=0, scenario={"snr_db": 5})
    assert {run.group for run in gather(tmp_path, by_scenario=False)[0]} == {"agent=dqn"}
    assert {run.group for run in gather(tmp_path, by_scenario=True)[0]} == {
        "agent=dqn, scenario.snr_db=0",
        "agent=dqn, scenario.snr_db=5",
    }


def test_what_was_good_is_kept(tmp_path: Path) -> None:
    make_run(tmp_path / "a_good", seed=0)
    make_run(tmp_path / "b_unfinished", seed=1, policy=None)
    make_run(tmp_path / "c_cut", seed=2, policy=ZIP[:9])
    make_run(tmp_path / "d_again", seed=0)
    make_run(tmp_path / ".hydra", seed=5)
    (tmp_path / "e_other").mkdir()
    (tmp_path / "e_other" / "config.yaml").write_text("model: {x: 1}")
    (tmp_path / "f_broken").mkdir()
    (tmp_path / "f_broken" / "config.yaml").write_text("a: [1, 2")
    runs, left_out = gather(tmp_path, by_scenario=True)
    assert [run.name for run in runs] == ["a_good"]
    assert left_out == [
        "run b_unfinished is left out: it holds no policy.zip, its training did not end",
        "run c_cut is left out: its policy.zip is cut short or not a policy",
        "run e_other is left out: its configuration is not one of train.py: agent, seed, scenario, env missing",
        "run f_broken is left out: its config.yaml is cut short or not a configuration",
        "run d_again is left out: a_good is the same configuration with the same seed",
    ]


def test_nothing_to_gather(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no folder 'nowhere'"):
        gather(Path("nowhere"), by_scenario=True)
    with pytest.raises(ValueError, match=r"holds no finished training run: none of its folders has a config\.yaml"):
        gather(tmp_path, by_scenario=True)
    make_run(tmp_path / "a", seed=0, policy=None)
    with pytest.raises(ValueError, match="run a is left out: it holds no policy"):
        gather(tmp_path, by_scenario=True)

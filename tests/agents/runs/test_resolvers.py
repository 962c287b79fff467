from __future__ import annotations

from typing import Any

from omegaconf import OmegaConf

from agents.runs.resolvers import register_resolvers


def folder(**changes: Any) -> str:
    register_resolvers()
    values = {"seed": 0, "resume": "auto", "agent": {"name": "d3qn"}, "twice": "${agent.name}"} | changes
    hydra = {"run": {"dir": "${run_folder:${resume},out/${agent.name}_seed${seed}}"}, "other": "${hydra:not.there}"}
    return str(OmegaConf.create(values | {"hydra": hydra}).hydra.run.dir)


def test_a_configuration_has_its_folder() -> None:
    assert folder().startswith("out/d3qn_seed0_")
    assert folder() == folder()
    assert folder(agent={"name": "d3qn", "gamma": 0.5}) != folder(agent={"name": "d3qn", "gamma": 0.6})


def test_a_new_run_or_a_named_one() -> None:
    assert folder(resume="never") != folder(resume="never")
    assert folder(resume="runs/mine") == "runs/mine"


def sweep(cached: Any, *overrides: str) -> str:
    register_resolvers()
    text = "${sweep_folder:out/sweep,${hydra.overrides.task}}"
    config = OmegaConf.create({"hydra": {"overrides": {"task": list(overrides)}, "sweep": {"dir": text}}})
    if cached is not None:
        OmegaConf.copy_cache(from_config=cached, to_config=config)
    return str(config.hydra.sweep.dir)


def test_a_multirun_has_its_folder_whatever_launches_it() -> None:
    assert sweep(None, "seed=1,2") == sweep(None, "launcher=joblib", "seed=1,2")
    assert sweep(None, "seed=1,2") != sweep(None, "seed=1,2,3")

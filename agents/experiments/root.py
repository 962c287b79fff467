"""ROOT for a receiver that no shipped agent was trained with: trained once, then read from its file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from tqdm import tqdm

from agents.factory import make_agent
from agents.policies import Predictor, load_policy
from agents.runs.callbacks import EveryRequests
from agents.runs.settings import check_keys
from envs import SplitVectorEnv
from envs.files import whole_file


def trained_root(keywords: Mapping[str, Any], training: Mapping[str, Any], console: Console) -> Predictor:
    """Train ROOT in an environment, or read the one that an earlier experiment trained in the same.

    Deterministic: the same profile, settings and seed give the same agent.

    Args:
        keywords: constructor keywords of the environment; `profile` holds a profile.
        training: `agent` (the group of that name), `total_requests`, `num_envs`, `seed`, `folder` of the trained ones.
        console: where it is said.

    Raises:
        ValueError: unknown or missing keys of `training`, or hyperparameters that do not exist.
    """
    check_keys("experiment.root", training, ["agent", "total_requests", "num_envs", "seed", "folder"])
    folder = Path(training["folder"])
    path = folder / f"root_{keywords['receiver']}_{_digest(keywords, training)}.zip"
    env = SplitVectorEnv(training["num_envs"], **keywords)
    if not path.is_file():
        torch.set_num_threads(1)  # the networks are small: a second thread costs more than it brings
        agent = make_agent(env=env, seed=training["seed"], **training["agent"])
        total = training["total_requests"]
        with tqdm(total=total, desc=f"ROOT for {keywords['receiver']}", unit="request", unit_scale=True) as bar:
            period = max(1, total // 100)
            agent.learn(total, callback=EveryRequests(period, lambda: bar.update(period)), log_interval=None)  # type: ignore[arg-type]
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            agent.save(partial)
        console.print(f"trained {path}", highlight=False, soft_wrap=True)
    return load_policy(path, env)


def _digest(keywords: Mapping[str, Any], training: Mapping[str, Any]) -> str:
    """Name of everything that the trained agent depends on."""
    profile, receiver = keywords["profile"], keywords["receiver"]
    told = {key: repr(value) for key, value in keywords.items() if key != "profile"}
    told |= {"training": repr({key: value for key, value in training.items() if key != "folder"})}
    told |= {"requests": repr(profile.requests), "snr_db": repr(profile.snr_db.tolist())}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    # Plans of other papers read other receivers too.
    read = (
        [receiver]
        if keywords.get("plans", ["semaigc"]) == ["semaigc"]
        else [receiver, *sorted({*profile.receivers} - {receiver})]
    )
    for metric in profile.metrics:
        for name in read:
            digest.update(profile.values(name, metric).tobytes())
        digest.update(profile.reference(metric).tobytes())
    return digest.hexdigest()[:12]

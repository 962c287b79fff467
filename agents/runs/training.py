"""`train.py`: learn, show what was learnt, compare it with the other policies. Resumes where it was stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console
from stable_baselines3.common.base_class import BaseAlgorithm

from agents.evaluation.comparison import Contender, compare
from agents.evaluation.statistics import flat
from agents.factory import check_hyperparameters
from agents.policies.trained import TrainedPolicy
from agents.reports.provenance import describe, script
from agents.reports.tables import render, same_requests, summarise
from agents.reports.tensorboard import log_config, log_hyperparameters, run_logger
from agents.reports.terminal import terminal
from agents.runs.callbacks import Checkpoints, EveryRequests, LearningCurve, ProgressBar
from agents.runs.folders import RunFolder
from agents.runs.image_log import ImageLog, log_decision_map
from agents.runs.learn import Lesson, learn, new_agent
from agents.runs.resolvers import AUTO, NEVER
from agents.runs.settings import GROUPS, AgentSettings, TrainSettings, override_keys, read_settings
from agents.runs.setup import Setup, named_scenarios, prepare
from envs import SplitVectorEnv
from envs.command_line import Interrupted, argument, command_line, shown, stop_request
from envs.files import write_rows

FINAL_METRICS = ("satisfaction", "relative_to_bound", "latency_s", "energy_j", "attempts", "failed")
"""Of the comparison at the end, shown in TensorBoard beside the hyperparameters."""


def train(config: DictConfig, folder: Path, overrides: Sequence[str]) -> None:
    """Run `train.py`.

    Args:
        config: the composed configuration.
        folder: the run's own folder; if the run was interrupted there, it goes on.
        overrides: what the command line changed, as Hydra gives it.

    Raises:
        ValueError: bad input, before any work.
        Interrupted: stopped by the user; the run can be resumed.
    """
    run = RunFolder(folder)
    if config.resume not in (AUTO, NEVER):
        config = _resumed_config(run, config, overrides)
    else:
        run.check_config(config)
    settings = read_settings(TrainSettings, config, (*GROUPS, "agent"))
    chosen = AgentSettings.from_config(config.agent)
    check_hyperparameters(chosen.name, chosen.hyperparameters)
    setup = prepare(config, settings.comparison.num_envs, settings.comparison.requests)
    agent = new_agent(Lesson(chosen, setup.settings, settings.total_requests, settings.num_envs, settings.seed))
    with run.locked():
        _train(run, config, settings, setup, chosen.name, agent)


def _train(
    run: RunFolder, config: DictConfig, settings: TrainSettings, setup: Setup, name: str, agent: BaseAlgorithm
) -> None:
    console = terminal()
    for sentence in run.restore(agent):
        console.print(f"warning: {sentence}; going on from an older one", soft_wrap=True)
    run.save_config(config)
    agent.set_logger(run_logger(run.path, agent.num_timesteps))
    log_config(agent.logger, config)

    environment = SplitVectorEnv(settings.num_envs, setup.settings)
    console.print(f"{name} · {describe(config, environment)}")
    console.print(f"run folder {shown(run.path)}", soft_wrap=True)
    curve = LearningCurve(agent, environment, settings.evaluation.num_requests, settings.evaluation.seed)
    images = ImageLog(agent, setup.settings, config.transceiver, settings.delivered_images, console)

    def pictures() -> None:
        log_decision_map(agent, setup.settings)
        images()

    _learn(agent, run, settings, curve, console, pictures)
    run.save_policy(agent)

    learner = Contender(TrainedPolicy(agent, setup.environment), setup.environment)
    asked = settings.comparison
    with console.status("Comparing policies"):
        served = compare({name: learner} | setup.contenders, num_requests=asked.num_requests, seed=asked.seed)
    rows = summarise(served)
    console.print(render(rows, title=same_requests(asked.num_requests, asked.num_envs, asked.requests)))
    (scenario,) = named_scenarios([config.scenario])
    write_rows(run.path / "comparison.csv", [{"scenario": scenario} | flat(vars(row)) for row in rows])
    (own,) = (flat(vars(row)) for row in rows if row.policy == name)
    log_hyperparameters(agent.logger, config, {metric: own[metric] for metric in FINAL_METRICS})
    agent.logger.close()
    folder = shown(run.path)
    again = {
        "curves": command_line("tensorboard", ["--logdir", str(folder.parent)]),
        "evaluation": command_line(script("evaluate.py"), [argument("+policies.mine", folder)]),
    }
    for what, line in ({"policy": shown(run.policy_file)} | again).items():
        console.print(f"{what:10}  {line}", soft_wrap=True)


def _resumed_config(run: RunFolder, config: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """The configuration of an interrupted run, with more requests if the command line says so.

    Raises:
        ValueError: the folder holds no run, or the command line changes anything else.
    """
    keys = override_keys(overrides)
    if others := [key for key in keys if key not in ("resume", "total_requests")]:
        raise ValueError(
            f"resume goes on with the configuration of the folder; got {', '.join(others)} too, allowed beside it: "
            "total_requests"
        )
    saved = run.load_config()
    saved.resume = config.resume
    if "total_requests" in keys:
        saved.total_requests = config.total_requests
    return saved


def _learn(
    agent: BaseAlgorithm,
    run: RunFolder,
    settings: TrainSettings,
    curve: LearningCurve,
    console: Console,
    pictures: Callable[[], None],
) -> None:
    if agent.num_timesteps >= settings.total_requests:
        console.print(f"already trained on {agent.num_timesteps:,} requests")
        return
    if agent.num_timesteps:
        console.print(f"going on after {agent.num_timesteps:,} requests")
    try:
        with stop_request() as stop, ProgressBar(curve, settings.total_requests, console) as bar:
            callbacks = [
                EveryRequests(settings.evaluation.every_requests, curve),
                EveryRequests(settings.evaluation.map_every_requests, pictures),
                Checkpoints(settings.checkpoint_every_requests, lambda: run.save_checkpoint(agent), stop),
                bar,
            ]
            learn(agent, settings.total_requests, callbacks)
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted after {agent.num_timesteps:,} requests; go on with: "
            + command_line(script("train.py"), [argument("resume", shown(run.path))])
        ) from None
    run.save_checkpoint(agent)
    curve()
    with console.status("Generating images with the trained policy"):
        pictures()

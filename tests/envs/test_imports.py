"""Imports run one way, and importing the environments stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import envs

ROOT = Path(envs.__file__).parent
LAYERS = (
    ("checks", "units", "files", "command_line"),
    ("plans",),
    ("costs", "channels", "observation"),
    ("transceiver",),
    ("scenario", "rewards"),
    ("settings", "quality"),
    ("model",),
    ("core", "fidelity"),
    ("render",),
    ("split_env",),
    ("vector_env", "wrappers"),
    ("commands", "__main__"),
)
"""Modules of `envs`, from the lowest; each may import only what stands above it in this list, or beside it."""

HEAVY = ("torch", "diffusers", "transformers", "stable_baselines3", "matplotlib")


def imported(path: Path) -> set[str]:
    """Full names of all modules (and names) that a file imports, lazily or not."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def layer_of(module: str) -> int:
    return next(index for index, layer in enumerate(LAYERS) if module in layer)


def test_imports_run_one_way() -> None:
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        module = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if module == "__init__":
            continue
        for name in imported(path):
            top, _, rest = name.partition(".")
            target = rest.split(".")[0]
            if top in ("agents", "train", "evaluate") or (
                top == "envs" and target != module and layer_of(target) > layer_of(module)
            ):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_every_module_has_its_layer() -> None:
    modules = {path.name.removesuffix(".py") for path in ROOT.iterdir() if path.suffix == ".py" or path.is_dir()}
    known = {module for layer in LAYERS for module in layer}
    assert modules - {"__init__", "__pycache__"} <= known


def test_importing_envs_imports_nothing_heavy() -> None:
    code = f"import envs, sys; print([name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True, check=True, timeout=120
    )
    assert result.stdout.strip() == "[]"


def test_a_scenario_may_be_called_anything() -> None:
    """Its file imports from `envs.scenario`, which imports it: what it needs is there before the first of them."""
    code = """
import sys

class Spy:
    def find_spec(self, name, path, target=None):
        package, _, module = name.rpartition(".")
        if package == "envs.scenario" and module not in ("parameters", "scenario", "processes"):
            from envs.scenario import RequestState, Scenario, ScenarioParams, Spent, register_scenario
            print(module)

sys.meta_path.insert(0, Spy())
import envs.scenario
"""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True, check=True, timeout=120
    )
    assert result.stdout.split() == ["battery", "bursty_edge", "cache", "iot", "queue", "urban_fading"]

"""Packages of `agents` import one way, and of `envs` only what its packages offer."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import agents

ROOT = Path(agents.__file__).parent
LAYERS = (
    ("d2sac", "d3qn", "linucb", "sb3_vec_env"),
    ("factory",),
    ("planning",),
    ("policies",),
    ("evaluation",),
    ("reports",),
    ("runs",),
    ("experiments.shared",),
    ("experiments", "commands"),
    ("agents",),
)
"""Packages of `agents`, from the lowest; each may import only what stands above it in this list, or beside it."""

OFFERED = ("envs", *(f"envs.{name}" for name in ("plans", "costs", "channels", "scenario", "rewards", "transceiver")))
"""Packages of `envs` that offer the names in their `__all__`."""
HELPERS = tuple(f"envs.{name}" for name in ("checks", "units", "files", "command_line", "fidelity", "observation"))


def package_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return "experiments.shared" if parts[:2] == ("experiments", "shared") else parts[0]


def imported(path: Path) -> list[tuple[str, str]]:
    """Module and name (empty for the module itself) of all that a file imports, lazily or not."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(str(node.module), alias.name) for alias in node.names]
    return found


def package_that_holds(module: str, name: str) -> str:
    inner = f"{module}.{name}.".removeprefix("agents.")
    return max((each for layer in LAYERS for each in layer if inner.startswith(f"{each}.")), key=len, default="agents")


def imports_between_packages() -> set[tuple[str, str, str]]:
    """File, its package, and the package of `agents` that it imports from."""
    return {
        (str(path.relative_to(ROOT)), package_of(path), package_that_holds(module, name))
        for path in ROOT.rglob("*.py")
        if path.parent != ROOT or not path.stem.startswith("__")
        for module, name in imported(path)
        if module.partition(".")[0] == "agents"
    }


def test_packages_import_one_way() -> None:
    layer_of = {name: index for index, layer in enumerate(LAYERS) for name in layer}
    found = imports_between_packages()
    assert not [f"{file} imports {other}" for file, own, other in found if layer_of[other] > layer_of[own]]
    graph: dict[str, set[str]] = {}
    for _, own, other in found:
        graph.setdefault(own, set()).update({other} - {own})
    TopologicalSorter(graph).prepare()  # refuses circles


def test_every_package_has_its_layer() -> None:
    names = {package_of(path) for path in ROOT.rglob("*.py")} - {"__init__", "__main__"}
    assert names == {name for layer in LAYERS for name in layer} - {"agents"}


def test_of_the_environments_only_what_their_packages_offer() -> None:
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        for module, name in imported(path):
            if module.partition(".")[0] != "envs" or module in HELPERS or f"{module}.{name}" in HELPERS:
                continue
            if module not in OFFERED or name not in import_module(module).__all__:
                wrong.append(f"{path.relative_to(ROOT)} imports {name or module} of {module}")
    assert not wrong


def test_nothing_imports_the_scripts() -> None:
    scripts = {"train", "evaluate", "benchmarks", "tests"}
    assert not [path for path in ROOT.rglob("*.py") if scripts & {m.partition(".")[0] for m, _ in imported(path)}]

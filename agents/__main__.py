"""`python -m agents` lists the commands and the experiments of this package; `python -m agents NAME` runs a command."""

from pathlib import Path

from agents.experiments import EXPERIMENTS, module_of
from envs.command_line import dispatch, listing

if __name__ == "__main__":
    root = Path(__file__).parents[1]
    files = {name: root / f"{module_of(name).replace('.', '/')}.py" for name in sorted(EXPERIMENTS)}
    dispatch("agents", f"\n\npython evaluate.py experiment=NAME\n\n{listing(files)}")

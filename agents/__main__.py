"""`python -m agents` lists the commands and the experiments of this package; `python -m agents NAME` runs a command."""

from pathlib import Path

from envs.command_line import dispatch, listing

if __name__ == "__main__":
    experiments = listing(Path(__file__).parent / "experiments")
    dispatch("agents", f"\n\npython evaluate.py experiment=NAME\n\n{experiments}")

"""Train an agent and compare it with the other policies: `python train.py --help`."""

from agents.commands.train import main

if __name__ == "__main__":
    main()

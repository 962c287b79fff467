"""Compare policies on the same requests, or run an experiment: `python evaluate.py --help`."""

from agents.commands.evaluate import main

if __name__ == "__main__":
    main()

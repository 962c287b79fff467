"""What the scenarios ask of a policy: `python -m agents.scenarios` measures it and writes `docs/scenarios.md`."""

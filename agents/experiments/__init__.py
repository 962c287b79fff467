"""The figures of the SemAIGC paper and experiments of our own: `python evaluate.py +experiment=NAME`.

Each module is one experiment: its `Options` (the sizes in `configs/experiment/NAME.yaml`) and `run(study, options)`.
"""

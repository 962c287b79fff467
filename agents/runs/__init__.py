"""What `train.py` and `evaluate.py` do: settings, run folders, learning, comparison, errors in one line."""

"""What the report explains, for sessions of policies and for training runs."""

OF_SESSIONS = {
    "comparison": "Mean outcomes on the same requests. Intervals are 95 %, from resampling whole sessions.",
    "iqm": "A score is the mean satisfaction of a session. The interquartile mean is that of the middle half of the "
    "scores: a few lucky or unlucky ones hardly move it (Agarwal et al., 2021). Intervals are 95 %, from a bootstrap "
    "of the sessions within each scenario.",
    "iqm_caption": "Bar: interquartile mean and its interval. Circle: mean.",
    "improvement": "The share of sessions in which the one policy does better than the other on the same requests; "
    "ties count half. improvement.csv has the intervals, and the chance over pairs of different sessions.",
    "profiles": "The share of sessions with more than a satisfaction τ. The higher a line, the better; the area below "
    "it is the mean.",
}

OF_RUNS = {
    "comparison": "Mean outcomes on the same requests; a group's are averaged over its training runs, request by "
    "request. Intervals are 95 %, from resampling whole sessions: they hold for these runs.",
    "iqm": "A score is the mean satisfaction of a training run. The interquartile mean is that of the middle half of a "
    "group's scores: a few lucky or unlucky runs hardly move it (Agarwal et al., 2021). Intervals are 95 %, from a "
    "bootstrap of the runs within each scenario: they speak of further training seeds, but of few runs they are "
    "too narrow. What was not trained here has one score, and no interval.",
    "iqm_caption": "Bar: interquartile mean and its interval over training runs. Circle: mean.",
    "improvement": "The chance that a training run of the one does better than one of the other, over all pairs of "
    "runs; ties count half. improvement.csv has the intervals.",
    "profiles": "The share of training runs with more than a satisfaction τ. The higher a line, the better; the area "
    "below it is the mean.",
}

CELLS = (
    "Mean satisfaction over the edge's available compute (PACR) and SNR. cells.csv has the intervals, the "
    "counts and the regret against the oracle."
)

STATES = {
    "satisfaction": "Satisfaction over SNR and over the edge's available compute.",
    "latency": "Seconds until an image is accepted or given up, all attempts together.",
    "split": "Denoising steps at the edge.",
    "decision_map": "Decisions: mean split of the policies that look at the state.",
}
"""Captions of the figures over the state."""

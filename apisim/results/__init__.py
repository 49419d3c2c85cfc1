"""Records become numbers: summaries, frames, thresholds, intervals, bills and files."""

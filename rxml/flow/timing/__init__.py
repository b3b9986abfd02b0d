"""Timing: waits, durations and rates, by the clock of a run."""

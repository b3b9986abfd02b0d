"""Quality: how good predictions are, estimated before labels come, measured as they do."""

"""Online models: what predicts, and learns from each label."""

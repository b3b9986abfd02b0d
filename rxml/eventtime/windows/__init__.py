"""Windows by event time: which elements belong together, when what came of them is told, and how it is computed."""

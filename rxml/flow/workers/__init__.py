"""Workers: stages with tasks of their own behind one input."""

"""Supervising: what is started anew when it fails, by whom, and what becomes of the element that it failed at."""

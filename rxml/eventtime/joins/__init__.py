"""Joins: elements of two streams that belong together by key and event time, and elements with what is looked up."""

"""Promoting: a challenger that is proven better becomes the champion."""

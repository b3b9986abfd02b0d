"""Notifications: reactivex's own classes, for those who may not import reactivex."""

from __future__ import annotations

from reactivex.notification import Notification, OnCompleted, OnError, OnNext

__all__ = ["Notification", "OnCompleted", "OnError", "OnNext"]

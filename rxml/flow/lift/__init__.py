"""Lift: operators of reactivex inside a flow, and flows as Observables."""

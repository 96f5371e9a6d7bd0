"""Executing: plan what is missing by content key, generate, score, commit.

`plan` orders and samples, `arm` is one target's pipeline, `runner` drives all arms at once, `progress` counts.
"""

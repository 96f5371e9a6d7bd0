"""Simulations that certify the statistics: `python -m bench.certify` writes docs/certification/."""

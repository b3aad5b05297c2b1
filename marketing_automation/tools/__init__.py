"""Helpers in plain Python: nothing in here imports Odoo."""
